import { newSharedCalls } from "../../../../auth/guards/cache/shared_calls.ts";
import {
  assertEquals,
  assertNotStrictEquals,
} from "../../../support/assert.ts";

Deno.test("newSharedCalls() begins one call for all with the same key", async () => {
  const calls = newSharedCalls<string>();
  const answer = Promise.withResolvers<string>();
  let begun = 0;
  const begin = () => {
    begun++;
    return answer.promise;
  };
  const joined = ["a", "a", "b"].map((key) => calls.join(key, begin));
  assertEquals([begun, calls.size()], [2, 2]);
  answer.resolve("done");
  for (const { outcome, leave } of joined) {
    assertEquals(await outcome, "done");
    leave();
  }
  assertEquals(calls.size(), 0);
  calls.join("a", begin).leave();
  assertEquals(begun, 3, "what has ended is not joined");
});

Deno.test("newSharedCalls() aborts a call when all have left, not before", async () => {
  const calls = newSharedCalls<string>();
  const signals: AbortSignal[] = [];
  const begin = (signal: AbortSignal) => {
    signals.push(signal);
    return new Promise<string>(() => {});
  };
  const first = calls.join("a", begin);
  const second = calls.join("a", begin);
  first.leave();
  assertEquals(signals.map(({ aborted }) => aborted), [false]);
  second.leave();
  assertEquals(signals.map(({ aborted }) => aborted), [true]);
  const third = calls.join("a", begin);
  assertNotStrictEquals(third.outcome, first.outcome);
  assertEquals(signals.map(({ aborted }) => aborted), [true, false]);
  third.leave();
  await Promise.resolve();
  assertEquals(calls.size(), 0);
});

Deno.test("newSharedCalls() does not abort a call that has ended", async () => {
  const calls = newSharedCalls<string>();
  let aborted = false;
  const { outcome, leave } = calls.join("a", (signal) => {
    signal.addEventListener("abort", () => aborted = true);
    return Promise.resolve("done");
  });
  await outcome;
  leave();
  assertEquals(aborted, false);
});

Deno.test("newSharedCalls() keeps a new call when an abandoned one ends late", async () => {
  const calls = newSharedCalls<string>();
  const late = Promise.withResolvers<string>();
  const first = calls.join("a", () => late.promise);
  first.leave();
  const second = calls.join("a", () => new Promise<string>(() => {}));
  late.resolve("late");
  await first.outcome;
  assertEquals(calls.size(), 1);
  second.leave();
  assertEquals(calls.size(), 0);
});
