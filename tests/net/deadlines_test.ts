import { newDeadlines } from "../../net/deadlines.ts";
import { assertEquals } from "../support/assert.ts";
import { newHandTicks } from "../support/hand_conn.ts";

Deno.test("a deadline expires once, never early, at most two ticks late", () => {
  using clock = newHandTicks();
  const { tick } = clock;
  let expired = 0;
  const deadline = newDeadlines(10).watch({ expire: () => expired++ });
  deadline.renew(30);
  for (let i = 0; i < 3; i++) tick();
  assertEquals(expired, 0);
  tick();
  assertEquals(expired, 1);
  for (let i = 0; i < 10; i++) tick();
  assertEquals(expired, 1);
  deadline.stop();
});

Deno.test("Deadline.renew() begins anew", () => {
  using clock = newHandTicks();
  const { tick } = clock;
  let expired = 0;
  const deadline = newDeadlines(10).watch({ expire: () => expired++ });
  for (let i = 0; i < 20; i++) {
    deadline.renew(20);
    tick();
    tick();
  }
  assertEquals(expired, 0);
  deadline.stop();
});

Deno.test("Deadline.resume() goes on with the time that was left at pause()", () => {
  using clock = newHandTicks();
  const { tick } = clock;
  let expired = 0;
  const deadline = newDeadlines(10).watch({ expire: () => expired++ });
  deadline.renew(30);
  tick();
  tick();
  deadline.pause();
  for (let i = 0; i < 50; i++) tick();
  deadline.resume();
  tick();
  assertEquals(expired, 0);
  tick();
  assertEquals(expired, 1);
  deadline.stop();
});

Deno.test("newDeadlines() has no timer while nothing is watched", () => {
  using clock = newHandTicks();
  const { running } = clock;
  const deadlines = newDeadlines(10);
  assertEquals(running(), false);
  const one = deadlines.watch({ expire() {} });
  const two = deadlines.watch({ expire() {} });
  assertEquals(running(), true);
  one.stop();
  assertEquals(running(), true);
  two.stop();
  assertEquals(running(), false);
  deadlines.watch({ expire() {} }).stop();
  assertEquals(running(), false);
});

Deno.test("Deadlines.now() is the time in whole ticks, while something is watched", () => {
  using clock = newHandTicks();
  const deadlines = newDeadlines(250);
  assertEquals(deadlines.now(), 0);
  const deadline = deadlines.watch({ expire() {} });
  clock.tick(3);
  assertEquals(deadlines.now(), 750);
  deadline.stop();
  clock.tick(3);
  assertEquals(deadlines.now(), 750);
});
