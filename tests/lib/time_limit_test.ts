import { newTimeLimit } from "../../lib/time_limit.ts";
import { assertEquals } from "../support/assert.ts";
import { newClock } from "../support/clock.ts";

/** Times so far apart that the machine's own clock does not matter. */
const LIMIT_MS = 60_000;

Deno.test("newTimeLimit() has one timer, for the call that began first", () => {
  using clock = newClock();
  const over: string[] = [];
  const limit = newTimeLimit(LIMIT_MS);
  const end = ["first", "second", "third"].map((name) =>
    limit.start(() => over.push(name))
  );
  assertEquals(clock.timers(), [LIMIT_MS]);

  end[1]?.();
  clock.wind(LIMIT_MS);
  assertEquals(over[0], "first");
  assertEquals(clock.timers().length, over.length === 1 ? 1 : 0);
  clock.wind(LIMIT_MS);
  assertEquals(over, ["first", "third"]);
  assertEquals(clock.timers(), []);
});

Deno.test("newTimeLimit() sets a timer anew where the first call has ended in time", () => {
  using clock = newClock();
  let over = 0;
  const limit = newTimeLimit(LIMIT_MS);
  const first = limit.start(() => over++);
  const second = limit.start(() => over++);
  first();
  clock.wind(LIMIT_MS);
  clock.wind(LIMIT_MS);
  assertEquals(over, 1);
  second();
  assertEquals([over, clock.timers()], [1, []]);
});

Deno.test("newTimeLimit() leaves no timer behind the last call", () => {
  using clock = newClock();
  const limit = newTimeLimit(LIMIT_MS);
  for (let round = 0; round < 2; round++) {
    const ends = [limit.start(fail), limit.start(fail)];
    ends.forEach((end) => end());
    ends.forEach((end) => end());
    assertEquals(clock.timers(), []);
  }
});

Deno.test("newTimeLimit() lets a call begin another while it ends", () => {
  using clock = newClock();
  let over = 0;
  const limit = newTimeLimit(LIMIT_MS);
  limit.start(() => {
    over++;
    limit.start(() => over++);
  });
  clock.wind(LIMIT_MS);
  assertEquals([over, clock.timers().length], [1, 1]);
  clock.wind(2 * LIMIT_MS);
  assertEquals([over, clock.timers()], [2, []]);
});

Deno.test("newTimeLimit() lets a call take off another while it ends", () => {
  using clock = newClock();
  const over: string[] = [];
  const limit = newTimeLimit(LIMIT_MS);
  const end: (() => void)[] = [];
  for (const [i, name] of ["first", "second"].entries()) {
    end.push(limit.start(() => {
      over.push(name);
      end[1 - i]?.();
    }));
  }
  clock.wind(2 * LIMIT_MS);
  clock.wind(2 * LIMIT_MS);
  assertEquals([over, clock.timers()], [["first"], []]);
});

function fail(): void {
  throw new Error("Its time is not over");
}
