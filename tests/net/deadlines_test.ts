import { newDeadlines } from "../../net/deadlines.ts";
import { assertEquals } from "../support/assert.ts";

/** Runs with a clock that is wound by hand in place of `setInterval`. */
function withHandClock(
  test: (tick: () => void, running: () => boolean) => void,
) {
  const { setInterval: set, clearInterval: clear } = globalThis;
  let callback: (() => void) | undefined;
  globalThis.setInterval = Object.assign((handler: () => void) => {
    callback = handler;
    return 1;
  }, set);
  globalThis.clearInterval = () => callback = undefined;
  try {
    test(() => callback?.(), () => callback !== undefined);
  } finally {
    globalThis.setInterval = set;
    globalThis.clearInterval = clear;
  }
}

Deno.test("a deadline expires once, never early, at most two ticks late", () => {
  withHandClock((tick) => {
    let expired = 0;
    const deadline = newDeadlines(10).watch(() => expired++);
    deadline.renew(30);
    for (let i = 0; i < 3; i++) tick();
    assertEquals(expired, 0);
    tick();
    assertEquals(expired, 1);
    for (let i = 0; i < 10; i++) tick();
    assertEquals(expired, 1);
    deadline.stop();
  });
});

Deno.test("Deadline.renew() begins anew", () => {
  withHandClock((tick) => {
    let expired = 0;
    const deadline = newDeadlines(10).watch(() => expired++);
    for (let i = 0; i < 20; i++) {
      deadline.renew(20);
      tick();
      tick();
    }
    assertEquals(expired, 0);
    deadline.stop();
  });
});

Deno.test("Deadline.resume() goes on with the time that was left at pause()", () => {
  withHandClock((tick) => {
    let expired = 0;
    const deadline = newDeadlines(10).watch(() => expired++);
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
});

Deno.test("newDeadlines() has no timer while nothing is watched", () => {
  withHandClock((_tick, running) => {
    const deadlines = newDeadlines(10);
    assertEquals(running(), false);
    const one = deadlines.watch(() => {});
    const two = deadlines.watch(() => {});
    assertEquals(running(), true);
    one.stop();
    assertEquals(running(), true);
    two.stop();
    assertEquals(running(), false);
    deadlines.watch(() => {}).stop();
    assertEquals(running(), false);
  });
});
