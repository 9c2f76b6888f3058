import { withThrottle } from "../../../../auth/guards/throttle/throttle.ts";
import { newMemoryStore } from "../../../../auth/state/memory_store.ts";
import type { Store } from "../../../../auth/state/store.ts";
import { assertEquals } from "../../../support/assert.ts";
import {
  type Outcome,
  outcomeOf,
  watched,
} from "../../../support/asked_provider.ts";
import { newClock } from "../../../support/clock.ts";
import { newCountedSignal } from "../../../support/counted_signal.ts";
import {
  newGuarded,
  OK,
  throttled,
  users,
  WRONG,
} from "../../../support/guarded.ts";
import { newCountingStore } from "../../../support/throttle_store.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Asks once, and tells how long the answer was held up. */
async function delayOf(
  clock: ReturnType<typeof newClock>,
  ask: () => Promise<Outcome>,
): Promise<[number, Outcome]> {
  const before = clock.now();
  let done = false;
  const outcome = ask().finally(() => done = true);
  await Promise.race([outcome, clock.hasTimers(1)]);
  // Hashing takes turns of the event loop, but none of this clock's time.
  if (!done) clock.wind(clock.timers()[0] ?? 0);
  return [Math.round(clock.now() - before), await outcome];
}

Deno.test("withThrottle() delays the guesses before a limit, right or wrong, up to 5 s", async () => {
  using clock = newClock();
  const { ask, asked } = newGuarded({ now: clock.now, delayMs: 5000 });
  const delays: number[] = [];
  for (let i = 0; i < 10; i++) {
    const [delay, outcome] = await delayOf(
      clock,
      () => ask("ann", `guess ${i}`),
    );
    assertEquals(outcome, WRONG);
    delays.push(delay);
  }
  // The counts drain while the delays go by, but not by a whole guess.
  assertEquals(delays, [0, 0, 0, 0, 156, 313, 625, 1250, 2500, 5000]);
  assertEquals(await ask("ann", "right"), throttled("pair"));
  clock.wind(360_000);
  assertEquals(await delayOf(clock, () => ask("ann", "right")), [5000, OK]);
  assertEquals(asked.length, 11);
  assertEquals(clock.timers(), []);
});

Deno.test("withThrottle() takes a shorter longest delay", async () => {
  using clock = newClock();
  const { ask } = newGuarded({ now: clock.now, delayMs: 320 });
  const delays: number[] = [];
  for (let i = 0; i < 10; i++) {
    delays.push((await delayOf(clock, () => ask("ann", `guess ${i}`)))[0]);
  }
  assertEquals(delays, [0, 0, 0, 0, 10, 20, 40, 80, 160, 320]);
});

Deno.test("withThrottle() asks only when the delay is over, and not for a client that has gone", async () => {
  using clock = newClock();
  const { provider, asked } = watched(users);
  const guarded = withThrottle(provider, {
    store: newCountingStore(),
    now: clock.now,
  });
  for (let i = 0; i < 4; i++) {
    await outcomeOf(guarded, { password: `guess ${i}` });
  }
  const { signal, abort, listening } = newCountedSignal();
  const outcome = outcomeOf(guarded, { password: "right" }, signal);
  await clock.hasTimers(1);
  clock.wind(156);
  assertEquals([asked.length, clock.timers().length], [4, 1]);
  abort();
  assertEquals(await outcome, ["authFailure", "client-gone"]);
  assertEquals([asked.length, clock.timers().length, listening()], [4, 0, 0]);
  const again = outcomeOf(guarded, { username: "ann", password: "x" }, signal);
  assertEquals(await again, ["authFailure", "client-gone"]);
});

Deno.test("withThrottle() adds 5 s at most, a store that takes its time included", async () => {
  using clock = newClock();
  const memory = newMemoryStore();
  const store: Store = {
    read: (keys) => Promise.resolve(memory.read(keys)),
    update: (keys, change) => Promise.resolve(memory.update(keys, change)),
  };
  const { ask } = newGuarded({
    store,
    now: clock.now,
    delayMs: 5000,
    storeTimeoutMs: 1000,
    pairLimit: 2,
  });
  await delayOf(clock, () => ask("ann", "1"));
  const held = ask("ann", "2");
  // Those of the store's own limit come and go.
  const delays = () => clock.timers().filter((ms) => ms !== 1000);
  for (let i = 0; i < 1000 && delays().length === 0; i++) await undefined;
  assertEquals(delays(), [3000]);
  clock.wind(3000);
  assertEquals(await held, WRONG);
});
