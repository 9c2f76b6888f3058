import { LogQueue, type LogTarget } from "../../command/log_queue.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";
import { mustHappen } from "../../testing/deadline.ts";
import {
  COMMAND_ARGS,
  parseLog,
  signalIfRunning,
  temporaryFolder,
} from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const decoder = new TextDecoder();

/** Takes what the test lets it take. */
class Gate implements LogTarget {
  text = "";
  writes = 0;
  #pass = Promise.withResolvers<void>();

  async write(octets: Uint8Array): Promise<number> {
    this.writes++;
    await this.#pass.promise;
    this.text += decoder.decode(octets);
    return octets.length;
  }

  open(): void {
    this.#pass.resolve();
  }
}

const lossLine = (count: number) => `lost ${count}\n`;

Deno.test("LogQueue writes lines in order, those of one turn at once", async () => {
  const gate = new Gate();
  gate.open();
  const queue = new LogQueue(gate, lossLine);
  for (let i = 0; i < 5; i++) queue.put(`${i}\n`);
  await queue.flush(60_000);
  assertEquals([gate.text, gate.writes], ["0\n1\n2\n3\n4\n", 1]);
  queue.put("again\n");
  await queue.flush(60_000);
  assertEquals([gate.text, gate.writes], ["0\n1\n2\n3\n4\nagain\n", 2]);
});

Deno.test("LogQueue keeps a mebibyte for a reader that stalls, and says there how much is missing", async () => {
  const gate = new Gate();
  const queue = new LogQueue(gate, lossLine);
  queue.put("first\n");
  await Promise.resolve();
  await Promise.resolve();
  assertEquals(gate.writes, 1, "the first line is under way");
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 1024 + 7; i++) queue.put(line);
  gate.open();
  await queue.flush(60_000);
  assertEquals(gate.text, `first\n${line.repeat(1024)}lost 7\n`);
  queue.put("later\n");
  await queue.flush(60_000);
  assert(gate.text.endsWith("lost 7\nlater\n"), "they are counted once");
});

Deno.test("LogQueue waits for a reader no longer than it is told", async () => {
  using clock = newClock();
  const gate = new Gate();
  const queue = new LogQueue(gate, lossLine);
  queue.put("x\n");
  const flushed = queue.flush(1000);
  assertEquals(clock.timers(), [1000]);
  clock.wind(1000);
  await flushed;
  assertEquals(gate.text, "");
  gate.open();
  await queue.flush(1000);
  assertEquals(clock.timers(), []);
});

Deno.test("LogQueue writes the rest where only a part was taken", async () => {
  let text = "";
  const queue = new LogQueue({
    write: (octets) => {
      text += decoder.decode(octets.subarray(0, 3));
      return Promise.resolve(Math.min(3, octets.length));
    },
  }, lossLine);
  queue.put("0123456789\n");
  await queue.flush(60_000);
  assertEquals(text, "0123456789\n");
});

Deno.test("LogQueue tries again where the other end takes nothing now", async () => {
  using clock = newClock();
  let text = "";
  let busy = true;
  const queue = new LogQueue({
    write: (octets) => {
      if (busy) return Promise.reject(new Deno.errors.WouldBlock("not now"));
      text += decoder.decode(octets);
      return Promise.resolve(octets.length);
    },
  }, lossLine);
  queue.put("x\n");
  await clock.hasTimers(1);
  busy = false;
  clock.wind(50);
  await queue.flush(60_000);
  assertEquals(text, "x\n");
});

Deno.test("LogQueue goes on where nobody reads any more", async () => {
  let tries = 0;
  const queue = new LogQueue({
    write: () => {
      tries++;
      return Promise.reject(new Deno.errors.BrokenPipe("gone"));
    },
  }, lossLine);
  queue.put("x\n");
  await queue.flush(60_000);
  queue.put("y\n");
  await queue.flush(60_000);
  assertEquals(tries, 2, "a line is tried once");
});

/** More than a mebibyte of log, at some 230 octets a line. */
const LOGINS = 6_000;

/** A command whose log nobody reads, and what it is told on its way. */
async function serveUnread(cleanUp: AsyncDisposableStack) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...COMMAND_ARGS,
      ...["--port", "0", "--log", "json"],
      // Where a login is required, a hundred commands must do for it.
      ...["--no-require-auth", "--no-throttle"],
      ...["--max-auth-failures", "1000000"],
    ],
    cwd: temporaryFolder(cleanUp),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  cleanUp.defer(async () => {
    signalIfRunning(child, "SIGKILL");
    await child.status;
  });
  let hint = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    hint += text;
    if (hint.includes("curl ")) break;
  }
  const port = Number(/smtp:\/\/127\.0\.0\.1:([0-9]+)/.exec(hint)?.[1]);
  using client = await SmtpClient.greeted(port);
  for (let i = 0; i < LOGINS; i++) await client.login("ann", "wrong", "535");
  await client.command("QUIT", "221");
  await client.expectEnd();
  return child;
}

/** The lines that came out whole. */
function wholeLines(text: string) {
  return parseLog(text.slice(0, text.lastIndexOf("\n") + 1));
}

Deno.test("main.ts serves clients while nobody reads its log, and stops (issue 11)", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const child = await serveUnread(cleanUp);
  child.kill("SIGTERM");
  const { code } = await mustHappen(child.status, "it stops");
  assertEquals(code, 0);
  const lines = wholeLines(await new Response(child.stderr).text());
  const auths = lines.filter(({ event }) => event === "auth");
  assert(auths.length > 0 && auths.length < LOGINS, `${auths.length} lines`);
});

Deno.test("main.ts says how many lines of its log are missing once it is read (issue 11)", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const child = await serveUnread(cleanUp);
  const reading = new Response(child.stderr).text();
  child.kill("SIGTERM");
  const lines = wholeLines(await mustHappen(reading, "the log is read"));
  const losses = lines.filter(({ event }) => event === "logDropped");
  assertEquals(losses.map(({ level }) => level), losses.map(() => "warn"));
  const missing = losses.reduce((sum, { lines }) => sum + Number(lines), 0);
  assert(missing > 0);
  // It listens, it stops, it has stopped.
  assertEquals(lines.length - losses.length + missing, LOGINS + 3);
  assertEquals((await child.status).code, 0);
});
