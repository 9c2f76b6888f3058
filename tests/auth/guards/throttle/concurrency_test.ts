// Many logins at once: right ones never cost each other anything, and wrong
// ones stay guesses, one by one (issue 11, 7 and 16).

import { withThrottle } from "../../../../auth/guards/throttle/throttle.ts";
import type { ThrottleOptions } from "../../../../auth/guards/throttle/options.ts";
import type { Store } from "../../../../auth/state/store.ts";
import type { AuthProvider } from "../../../../auth/types.ts";
import { assert, assertEquals } from "../../../support/assert.ts";
import { newSlowProvider, outcomeOf } from "../../../support/asked_provider.ts";
import { newClock, workedOff } from "../../../support/clock.ts";
import { newCountedSignal } from "../../../support/counted_signal.ts";
import {
  networkAt,
  newGuarded,
  OK,
  throttled,
  WRONG,
} from "../../../support/guarded.ts";
import { newRandom, pick } from "../../../support/random.ts";
import { newCountingStore } from "../../../support/throttle_store.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Answers after so many of the clock's milliseconds. */
function after(ms: (password: string) => number): AuthProvider {
  return ({ password }) =>
    new Promise((resolve) => {
      const decision = password.startsWith("right") ? "authOk" : "authInvalid";
      setTimeout(() => resolve(decision), ms(password));
    });
}

/** A store that answers later. */
function newLaterStore(): Store {
  const store = newCountingStore();
  return {
    ...store,
    read: (keys) => Promise.resolve(store.read(keys)),
    update: (keys, change) => Promise.resolve(store.update(keys, change)),
  };
}

Deno.test("withThrottle() lets all in who are right at once, whatever their number and networks", async () => {
  const shared = { sharedNetworks: ["10.0.0.0/24"] };
  const one = (i: number) => ["ann", "right", networkAt(0), i] as const;
  const rows = [
    // [what, how many, ms, options, who]
    ["shared", 41, 50, shared, one],
    ["shared", 100, 50, shared, one],
    ["one network", 100, 600, {}, one],
    ["one network, never trusted", 200, 1200, { trustMs: 0 }, one],
    [
      "a network each, never trusted",
      200,
      1200,
      { trustMs: 0 },
      (i: number) => ["ann", "right", networkAt(i), i] as const,
    ],
    ["no address", 200, 1200, {}, () => ["ann", "right", "", 0] as const],
    [
      "a user each",
      500,
      600,
      {},
      (i: number) => [`user ${i}`, "right", networkAt(0), i] as const,
    ],
    [
      "a user each, never trusted, IPv6",
      500,
      1200,
      { trustMs: 0 },
      (i: number) => [`user ${i}`, "right", networkAt(i & 7, true), i] as const,
    ],
    [
      "a password each",
      100,
      600,
      {},
      (i: number) => ["ann", `right ${i}`, networkAt(0), i] as const,
    ],
    [
      "a password each from a network each",
      100,
      600,
      {},
      (i: number) => ["ann", `right ${i}`, networkAt(i), i] as const,
    ],
  ] as const;
  for (const [what, count, ms, options, who] of rows) {
    for (const store of [newCountingStore(), newLaterStore()]) {
      using clock = newClock();
      const { ask } = newGuarded(
        { ...options, delayMs: 5000, store, now: clock.now },
        after(() => ms),
      );
      const outcomes = Array.from({ length: count }, (_, i) => {
        const [username, password, remoteIp] = who(i);
        return ask(username, password, remoteIp);
      });
      const all = await workedOff(clock, Promise.all(outcomes));
      assertEquals(all.filter(([decision]) => decision !== "authOk"), [], what);
      assertEquals(clock.timers(), []);
    }
  }
});

Deno.test("withThrottle() refuses no right password because of others, in whatever order they end", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    using clock = newClock();
    const random = newRandom(seed);
    // Clients that go cost their network a guess each: not too many for it.
    const mayGo = random(2) === 0;
    const options: ThrottleOptions = {
      store: random(2) === 0 ? newCountingStore() : newLaterStore(),
      now: clock.now,
      userLimit: 1 + random(20),
      pairLimit: 1 + random(10),
      networkLimit: mayGo ? 60 : 1 + random(60),
      trustMs: pick(random, [0, 604_800_000]),
      sharedNetworks: random(3) === 0 ? ["10.0.0.0/24"] : [],
    };
    const { ask } = newGuarded(options, after(() => 1 + random(300)));
    const networks = 1 + random(6);
    const names = 1 + random(8);
    const outcomes = Array.from({ length: 60 }, async () => {
      const { signal, abort } = newCountedSignal();
      const goes = mayGo && random(4) === 0;
      if (goes) setTimeout(abort, random(400));
      await new Promise((resolve) => setTimeout(resolve, 1 + random(200)));
      const outcome = await ask(
        `user ${random(names)}`,
        `right ${random(3)}`,
        pick(random, ["", networkAt(random(networks), random(2) === 0)]),
        signal,
      );
      return goes ? OK : outcome;
    });
    const all = await workedOff(clock, Promise.all(outcomes));
    clock.wind(1000); // those who meant to go
    const refused = all.filter(([decision]) => decision !== "authOk");
    assertEquals(refused, [], `seed ${seed}`);
    assertEquals(clock.timers(), []);
  }
});

Deno.test("withThrottle() asks no more wrong guesses than fit, however many come at once, and one per account", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    using clock = newClock();
    const random = newRandom(seed);
    const networkLimit = 1 + random(30);
    const accounts = random(6);
    const { ask, asked } = newGuarded(
      {
        store: random(2) === 0 ? newCountingStore() : newLaterStore(),
        now: clock.now,
        windowMs: 1e10,
        networkLimit,
      },
      after(() => 1 + random(600)),
    );
    const outcomes = Array.from({ length: 150 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, 1 + random(2000)));
      return random(8) === 0 && accounts > 0
        ? await ask(`own ${random(accounts)}`, "right", networkAt(0))
        : await ask(`user ${random(200)}`, `guess ${i}`, networkAt(0));
    });
    await workedOff(clock, Promise.all(outcomes));
    const wrong = asked.filter(({ password }) => password !== "right").length;
    assert(
      wrong >= networkLimit && wrong <= networkLimit + accounts,
      `seed ${seed}: ${wrong} of ${networkLimit} + ${accounts}`,
    );
  }
});

Deno.test("withThrottle() holds nobody longer because the clock is set back", async () => {
  using clock = newClock();
  let setBackMs = 0;
  const { ask } = newGuarded({
    now: () => clock.now() - setBackMs,
    delayMs: 5000,
    pairLimit: 2,
  });
  assertEquals(await ask("ann", "guess"), WRONG);
  const { signal, abort } = newCountedSignal();
  const delayed = ask("ann", "right 1", undefined, signal);
  const waiting = ask("ann", "right");
  await clock.hasTimers(2);
  clock.wind(4000);
  setBackMs = 600_000;
  abort();
  assertEquals(await delayed, ["authFailure", "client-gone"]);
  await clock.hasTimers(1);
  assertEquals(clock.timers(), [1000], "of its delay of 5 s");
  clock.wind(1000);
  assertEquals(await waiting, OK);
});

Deno.test("withThrottle() does not let a thousand connections guess at once", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const guarded = withThrottle(provider, {
    store: newCountingStore(),
    delayMs: 0,
    now: clock.now,
  });
  const outcomes = Array.from(
    { length: 1000 },
    (_, i) => outcomeOf(guarded, { password: `guess ${i}` }),
  );
  await call(9);
  assertEquals(calls.length, 10);
  for (let i = 0; i < 10; i++) (await call(i)).answer("authInvalid");
  const all = await Promise.all(outcomes);
  assertEquals(calls.length, 10);
  assertEquals(all.slice(0, 10), new Array(10).fill(WRONG));
  assertEquals(all.slice(10), new Array(990).fill(throttled("pair")));
  assertEquals(clock.timers(), []);
});

Deno.test("withThrottle() lets a program in that opens fifty connections at once", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const guarded = withThrottle(provider, {
    store: newCountingStore(),
    now: clock.now,
  });
  const outcomes = Array.from({ length: 50 }, () => outcomeOf(guarded));
  for (let i = 0; i < 50; i++) (await call(i)).answer("authOk");
  assertEquals(await Promise.all(outcomes), new Array(50).fill(OK));
  assertEquals([calls.length, clock.timers().length], [50, 0]);
});

Deno.test("withThrottle() makes nobody wait for others for more than 5 s", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const guarded = withThrottle(provider, {
    store: newCountingStore(),
    now: clock.now,
    pairLimit: 1,
  });
  const first = outcomeOf(guarded, { password: "1" });
  const second = outcomeOf(guarded, { password: "2" });
  const { signal, abort, listening } = newCountedSignal();
  const third = outcomeOf(guarded, { password: "3" }, signal);
  await clock.hasTimers(2);
  abort();
  assertEquals(await third, ["authFailure", "client-gone"]);
  assertEquals([clock.timers(), listening()], [[5000], 0]);
  clock.wind(5000);
  assertEquals(await second, throttled("pair"));
  (await call(0)).answer("authOk");
  assertEquals(await first, OK);
  assertEquals([calls.length, clock.timers().length], [1, 0]);
});

Deno.test("withThrottle() passes a turn on when the one called has gone", async () => {
  using clock = newClock();
  const { provider, call } = newSlowProvider();
  const guarded = withThrottle(provider, {
    store: newCountingStore(),
    now: clock.now,
    pairLimit: 1,
  });
  const first = outcomeOf(guarded, { password: "1" });
  const { signal, abort } = newCountedSignal();
  const second = outcomeOf(guarded, { password: "2" }, signal);
  const third = outcomeOf(guarded, { password: "3" });
  await clock.hasTimers(2);
  (await call(0)).answer("authFailure");
  await clock.hasTimers(1);
  abort();
  assertEquals(await first, ["authFailure", "provider-failure"]);
  assertEquals((await second)[0], "authFailure");
  // Whether the second was still asked or not, the third gets its turn.
  for (let i = 1;; i++) {
    const next = await call(i);
    if (next.request.password !== "3") continue;
    next.answer("authOk");
    break;
  }
  assertEquals(await third, OK);
  assertEquals(clock.timers(), []);
});
