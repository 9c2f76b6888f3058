import type { LogEntry } from "../../command/log.ts";
import { catchStrayFaults } from "../../command/stray_faults.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const MESSAGE = "a fault of this program, please report it: RangeError";

/** Makes a fault that nothing catches; resolves with what the log is told. */
async function told(makeFault: () => void): Promise<LogEntry> {
  const { promise, resolve } = Promise.withResolvers<LogEntry>();
  using _caught = catchStrayFaults(resolve);
  makeFault();
  return await mustHappen(promise, "the log is told");
}

const FAULTS: Readonly<Record<string, (fault: unknown) => void>> = {
  "a promise that nobody waits for": (fault) => void Promise.reject(fault),
  "a timer": (fault) =>
    void setTimeout(() => {
      throw fault;
    }, 0),
  "an event's listener": (fault) => {
    const target = new EventTarget();
    target.addEventListener("now", () => {
      throw fault;
    });
    target.dispatchEvent(new Event("now"));
  },
};

for (const [where, makeFault] of Object.entries(FAULTS)) {
  Deno.test(`catchStrayFaults() tells the log where an error comes from, but not what it quotes: ${where}`, async () => {
    const fault = new RangeError("hunter2\n    at hunter2");
    const { level, message, fields } = await told(() => makeFault(fault));
    assertEquals([level, message], ["error", MESSAGE]);
    const { stack, ...others } = fields;
    assertEquals(others, { event: "fault", error: "RangeError" });
    assertMatch(String(stack), /^at .*stray_faults_test\.ts:\d+:\d+/);
    assertEquals(String(stack).includes("hunter2"), false);
  });

  Deno.test(`catchStrayFaults() does not quote what is no error: ${where}`, async () => {
    const { fields } = await told(() => makeFault("hunter2"));
    assertEquals(fields, { event: "fault", error: "string", stack: "" });
  });
}
