import { newWaitingLine } from "../../lib/wait_queue.ts";
import { assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";
import { newCountedSignal } from "../support/counted_signal.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("newWaitingLine() calls first who came first", async () => {
  using clock = newClock();
  const line = newWaitingLine();
  const called: string[] = [];
  const waits = ["a", "b", "c"].map((name) =>
    line.wait(1000, undefined).then((was) => called.push(`${name} ${was}`))
  );
  assertEquals(line.size(), 3);
  assertEquals(line.next(), true);
  assertEquals(line.next(), true);
  assertEquals(line.size(), 1);
  clock.wind(999);
  assertEquals(line.size(), 1);
  clock.wind(1);
  await Promise.all(waits);
  assertEquals(called, ["a true", "b true", "c false"]);
  assertEquals(line.next(), false);
  assertEquals(clock.timers(), []);
});

Deno.test("newWaitingLine() lets who aborts go at once, timer and listener too", async () => {
  using clock = newClock();
  const line = newWaitingLine();
  const { signal, abort, listening } = newCountedSignal();
  const waits = [line.wait(1000, signal), line.wait(1000, undefined)];
  assertEquals(listening(), 1);
  abort();
  assertEquals(await waits[0], false);
  assertEquals([line.size(), clock.timers().length, listening()], [1, 1, 0]);
  line.next();
  assertEquals(await waits[1], true);
  assertEquals(await line.wait(1000, signal), false, "aborted before");
  assertEquals(clock.timers(), []);
});

Deno.test("newWaitingLine() keeps no listener of who was called", async () => {
  using clock = newClock();
  const line = newWaitingLine();
  const { signal, listening } = newCountedSignal();
  const wait = line.wait(1000, signal);
  line.next();
  await wait;
  assertEquals([listening(), clock.timers().length], [0, 0]);
});
