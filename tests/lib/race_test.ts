import { pause, race } from "../../lib/race.ts";
import { newTimeLimit } from "../../lib/time_limit.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";
import { newCountedSignal } from "../support/counted_signal.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Work that ends when it is told to. */
function newWork() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { work: () => promise, resolve, reject };
}

Deno.test("race() ends with what comes first, and leaves nothing behind", async () => {
  const rows = [
    ["done", { kind: "done", value: "x" }],
    ["broken", { kind: "broken", error: "why" }],
    ["late", { kind: "late" }],
    ["gone", { kind: "gone" }],
  ] as const;
  for (const [first, expected] of rows) {
    for (const shared of [false, true]) {
      using clock = newClock();
      const { signal, abort, listening } = newCountedSignal();
      const { work, resolve, reject } = newWork();
      const limit = shared ? newTimeLimit(100) : 100;
      const raced = race(work, { limit, signal });
      await Promise.resolve();
      assertEquals([listening(), clock.timers().length], [1, 1]);
      const events = {
        done: () => resolve("x"),
        broken: () => reject("why"),
        late: () => clock.wind(100),
        gone: abort,
      };
      events[first]();
      assertEquals(await raced, expected);
      assertEquals([listening(), clock.timers().length], [0, 0], first);
      // Whatever happens later changes nothing and is reported nowhere.
      events.gone();
      events.broken();
    }
  }
});

Deno.test("race() takes work that is done at once, and work that throws", async () => {
  using clock = newClock();
  const error = new Error("why");
  assertEquals(await race(() => 1, { limit: 100 }), { kind: "done", value: 1 });
  const thrown = await race(() => {
    throw error;
  }, { limit: 100 });
  assert(thrown.kind === "broken" && thrown.error === error);
  assertEquals(clock.timers(), []);
});

Deno.test("race() does not listen to a signal for work that is done by then", async () => {
  const { signal, added } = newCountedSignal();
  const done = { kind: "done", value: 1 } as const;
  assertEquals(await race(() => 1, { signal }), done);
  assertEquals(await race(() => Promise.resolve(1), { signal }), done);
  assertEquals(added(), 0);
});

Deno.test("race() notices a signal that is aborted before it listens", async () => {
  const { signal, abort, added } = newCountedSignal();
  const raced = race(() => new Promise(() => {}), { signal });
  abort();
  assertEquals(await raced, { kind: "gone" });
  assertEquals(added(), 0);
});

Deno.test("race() does not begin work for which nobody waits", async () => {
  let begun = false;
  const work = () => begun = true;
  const signal = AbortSignal.abort();
  assertEquals(await race(work, { limit: 100, signal }), { kind: "gone" });
  assertEquals(begun, false);
});

Deno.test("race() notices a signal that the work itself aborts", async () => {
  const { signal, abort, listening } = newCountedSignal();
  const work = () => {
    abort();
    return new Promise(() => {});
  };
  assertEquals(await race(work, { signal }), { kind: "gone" });
  assertEquals(listening(), 0);
});

Deno.test("pause() ends with its time or with the signal", async () => {
  using clock = newClock();
  const { signal, abort, listening } = newCountedSignal();
  const first = pause(100, signal);
  clock.wind(100);
  await first;
  const second = pause(100, signal);
  abort();
  await second;
  assertEquals([listening(), clock.timers().length], [0, 0]);
});
