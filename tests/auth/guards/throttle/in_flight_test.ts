import { newTurns } from "../../../../auth/guards/throttle/in_flight.ts";
import { assertEquals } from "../../../support/assert.ts";
import { newClock } from "../../../support/clock.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("newTurns() counts what is under way by key, and keeps nothing else", () => {
  const turns = newTurns();
  const leave = turns.enter(["a", "b"]);
  const leaveToo = turns.enter(["b"]);
  assertEquals(["a", "b", "c"].map(turns.underWay), [1, 2, 0]);
  leave();
  assertEquals(["a", "b"].map(turns.underWay), [0, 1]);
  leaveToo();
  assertEquals(turns.size(), 0);
});

Deno.test("newTurns() calls one who waits for each that leaves", async () => {
  using clock = newClock();
  const turns = newTurns();
  const leave = turns.enter(["a"]);
  const waits = [1, 2].map(() => turns.wait("a", 1000, undefined));
  const other = turns.wait("b", 1000, undefined);
  leave();
  assertEquals(await waits[0], true);
  assertEquals(clock.timers().length, 2);
  turns.pass("a");
  assertEquals(await waits[1], true);
  turns.pass("a");
  turns.pass("nobody");
  clock.wind(1000);
  assertEquals(await other, false);
  assertEquals([turns.size(), clock.timers().length], [0, 0]);
});
