import type { ProviderReason } from "../../../../auth/reasons.ts";
import { isThrottleEntry } from "../../../../auth/guards/throttle/entry.ts";
import { withThrottle } from "../../../../auth/guards/throttle/throttle.ts";
import { newMemoryStore } from "../../../../auth/state/memory_store.ts";
import type { Store } from "../../../../auth/state/store.ts";
import type { AuthProvider, AuthRequest } from "../../../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertStrictEquals,
  assertThrows,
} from "../../../support/assert.ts";
import type { Outcome } from "../../../support/asked_provider.ts";
import { newRequest } from "../../../support/auth_request.ts";
import { newClock } from "../../../support/clock.ts";
import {
  AWAY,
  HOME,
  newGuarded,
  OK,
  throttled,
  users,
  WRONG,
} from "../../../support/guarded.ts";
import { newRandom, pick } from "../../../support/random.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("withThrottle() lets a device with an old password come 500 times", async () => {
  const { ask, asked } = newGuarded();
  assertEquals(await ask("ann", "right"), OK);
  for (const where of [HOME, AWAY]) {
    for (let i = 0; i < 500; i++) {
      assertEquals(await ask("ann", "old", where), WRONG);
    }
  }
  assertEquals(asked.length, 1001);
  // Neither its user, there and elsewhere, nor others from there.
  assertEquals(await ask("ann", "right", HOME), OK);
  assertEquals(await ask("ann", "right", AWAY), OK);
  assertEquals(await ask("ann", "right", "203.0.113.1"), OK);
  assertEquals(await ask("bob", "right", AWAY), OK);
});

Deno.test("withThrottle() lets a device come 500 times that was never right there", async () => {
  const { ask } = newGuarded();
  for (let i = 0; i < 500; i++) {
    assertEquals(await ask("ann", pick((n) => i % n, ["old", "older"])), WRONG);
  }
  assertEquals(await ask("ann", "right"), OK);
});

Deno.test("withThrottle() stops twenty different guesses, from wherever they come", async () => {
  const rows = [
    ["one network", () => HOME, "pair", 10],
    ["four networks", (i: number) => `192.0.${i % 4}.1`, "user", 20],
    ["a network each", (i: number) => `192.0.${i}.1`, "user", 20],
    ["IPv6", (i: number) => `2001:db8:0:${i % 256}::1`, "pair", 10],
  ] as const;
  for (const [what, from, limit, allowed] of rows) {
    const { ask, asked } = newGuarded();
    for (let i = 0; i < 20; i++) await ask("ann", `guess ${i}`, from(i));
    assertEquals(asked.length, allowed, what);
    // Right or wrong: the provider is not asked, and nobody learns anything.
    for (const password of ["right", "guess 0", "guess 99"]) {
      assertEquals(await ask("ann", password, from(0)), throttled(limit), what);
    }
    assertEquals(asked.length, allowed, what);
  }
});

Deno.test("withThrottle() stops guesses for many users from one network", async () => {
  const { ask, asked } = newGuarded();
  for (let i = 0; i < 150; i++) {
    const outcome = await ask(`b${i}`, "12345678", `192.0.2.${i}`);
    assertEquals(outcome, i < 100 ? WRONG : throttled("network"));
  }
  assertEquals(asked.length, 100);
  assertEquals(await ask("ann", "right", "192.0.3.1"), OK, "next door");
});

Deno.test("withThrottle() treats unknown users like known ones", async () => {
  const transcript = async (username: string) => {
    const { ask } = newGuarded();
    const outcomes: Outcome[] = [];
    for (let i = 0; i < 30; i++) {
      outcomes.push(await ask(username, `guess ${i % 25}`, `192.0.${i}.1`));
    }
    return outcomes;
  };
  assertEquals(await transcript("nobody"), await transcript("ann"));
});

Deno.test("withThrottle() lets a user in at home while others guess elsewhere", async () => {
  const { ask } = newGuarded();
  assertEquals(await ask("ann", "right", HOME), OK);
  for (let i = 0; i < 100; i++) {
    await ask("ann", `guess ${i}`, `198.51.${i}.1`);
  }
  assertEquals(await ask("ann", "right", AWAY), throttled("user"));
  assertEquals(await ask("ann", "right", HOME), OK);
  assertEquals(await ask("ann", "right", "192.0.2.200"), OK, "same network");
  assertEquals(await ask("ann", "typo", HOME), WRONG);
});

Deno.test("withThrottle() lets a user in at home while others guess there for others", async () => {
  const { ask } = newGuarded();
  assertEquals(await ask("ann", "right"), OK);
  for (let i = 0; i < 150; i++) await ask(`eve${i}`, "12345678");
  assertEquals(await ask("bob", "right"), throttled("network"));
  assertEquals(await ask("ann", "right"), OK);
});

Deno.test("withThrottle() stops guessing at home as well, after a hundred", async () => {
  const { ask, asked } = newGuarded();
  await ask("ann", "right");
  for (let i = 0; i < 150; i++) {
    const outcome = await ask("ann", `guess ${i}`);
    assertEquals(outcome, i < 100 ? WRONG : throttled("pair"));
  }
  assertEquals(asked.length, 101);
  assertEquals(await ask("ann", "right", AWAY), OK, "not elsewhere");
  assertEquals(await ask("bob", "right", HOME), OK, "nor others");
});

Deno.test("withThrottle() trusts a network for a week, and not for ever", async () => {
  using clock = newClock();
  const { ask } = newGuarded({ now: clock.now });
  const guessElsewhere = async (round: string) => {
    for (let i = 0; i < 40; i++) {
      await ask("ann", `guess ${round} ${i}`, `198.51.${i}.1`);
    }
  };
  await ask("ann", "right");
  clock.wind(604_800_000 - 1);
  await guessElsewhere("before");
  assertEquals(await ask("ann", "right"), OK);
  clock.wind(604_800_000);
  await guessElsewhere("after");
  assertEquals(await ask("ann", "right"), throttled("user"));
});

Deno.test("withThrottle() never exempts anybody with trustMs 0", async () => {
  const { ask } = newGuarded({ trustMs: 0 });
  await ask("ann", "right");
  for (let i = 0; i < 40; i++) await ask("ann", `guess ${i}`, `198.51.${i}.1`);
  assertEquals(await ask("ann", "right"), throttled("user"));
});

Deno.test("withThrottle() takes back what a user mistyped, and nothing else", async () => {
  const { ask } = newGuarded({ userLimit: 8, pairLimit: 5, trustMs: 0 });
  for (let i = 0; i < 4; i++) await ask("ann", `far ${i}`, AWAY);
  for (let i = 0; i < 3; i++) await ask("ann", `typo ${i}`, HOME);
  assertEquals(await ask("ann", "right", HOME), OK);
  // Four are left of eight, whatever was typed at home.
  for (let i = 0; i < 4; i++) {
    assertEquals(await ask("ann", `new ${i}`, HOME), WRONG);
  }
  assertEquals(await ask("ann", "new 4", HOME), throttled("user"));
});

Deno.test("withThrottle() gives a guesser nothing for an account of the guesser's own", async () => {
  const { ask, asked } = newGuarded();
  for (let i = 0; i < 150; i++) {
    await ask("c-own", "right");
    await ask(`b${i}`, "12345678");
  }
  assertEquals(
    asked.filter(({ password }) => password !== "right").length,
    100,
  );
});

Deno.test("withThrottle() compares names case-folded and normalised", async () => {
  const { ask, asked } = newGuarded({ pairLimit: 6 });
  const spellings = [
    ...["ann", "ANN", " Ann", "\uff41nn", "an\u00adn", "a\u{1d427}n"],
    "anN",
  ];
  for (const [i, name] of spellings.entries()) {
    const outcome = await ask(name, `guess ${i}`);
    assertEquals(outcome, i < 6 ? WRONG : throttled("pair"), name);
  }
  assertEquals(asked.length, 6);
  assertEquals(asked.map(({ username }) => username), spellings.slice(0, 6));
});

Deno.test("withThrottle() has networks of other sizes", async () => {
  const rows = [
    [{ ipv4Prefix: 32 }, "192.0.2.1", "192.0.2.2", OK],
    [{}, "192.0.2.1", "192.0.2.254", throttled("pair")],
    [{}, "192.0.2.1", "::ffff:192.0.2.254", throttled("pair")],
    [{ ipv4Prefix: 16 }, "192.0.2.1", "192.0.3.1", throttled("pair")],
    [{ ipv4Prefix: 0 }, "192.0.2.1", "8.8.8.8", throttled("pair")],
    [{}, "2001:db8:0:ab00::1", "2001:db8:0:abff::", throttled("pair")],
    [{}, "2001:db8:0:ab00::1", "2001:db8:0:ac00::", OK],
    [{ ipv6Prefix: 64 }, "2001:db8::1", "2001:db8::2", throttled("pair")],
    [{ ipv6Prefix: 64 }, "2001:db8::1", "2001:db8:0:1::1", OK],
  ] as const;
  for (const [options, one, other, outcome] of rows) {
    const { ask } = newGuarded({ pairLimit: 2, ...options });
    await ask("ann", "1", one);
    await ask("ann", "2", one);
    assertEquals(await ask("ann", "right", other), outcome, `${one} ${other}`);
  }
});

Deno.test("withThrottle() counts guesses from a shared network for the user only", async () => {
  const webmail = "127.0.0.1";
  const shared = { sharedNetworks: ["127.0.0.0/8", "::1"] };
  const { ask } = newGuarded(shared);
  for (let i = 0; i < 150; i++) {
    assertEquals(await ask(`bob${i}`, "typo", webmail), WRONG);
  }
  assertEquals(await ask("ann", "right", webmail), OK);
  for (let i = 0; i < 20; i++) {
    assertEquals(await ask("carl", `guess ${i}`, webmail), WRONG);
  }
  assertEquals(await ask("carl", "right", webmail), throttled("user"));
  assertEquals(await ask("carl", "right", HOME), throttled("user"));
  assertEquals(await ask("ann", "right", webmail), OK);
  // Guesses from elsewhere hold nobody up who has logged in there.
  for (let i = 0; i < 40; i++) await ask("ann", `guess ${i}`, `192.0.${i}.1`);
  assertEquals(await ask("ann", "right", AWAY), throttled("user"));
  assertEquals(await ask("ann", "right", webmail), OK);
  for (let i = 0; i < 100; i++) {
    assertEquals(await ask("ann", `guess here ${i}`, webmail), WRONG);
  }
  assertEquals(await ask("ann", "right", webmail), throttled("pair"));
});

Deno.test("withThrottle() takes back what a user mistyped in a shared network", async () => {
  const { ask } = newGuarded({ sharedNetworks: ["127.0.0.0/8"] });
  for (let i = 0; i < 19; i++) await ask("ann", `typo ${i}`, "127.0.0.1");
  assertEquals(await ask("ann", "right", "127.0.0.1"), OK);
  for (let i = 0; i < 9; i++) {
    assertEquals(await ask("ann", `slip ${i}`, HOME), WRONG);
  }
  assertEquals(await ask("ann", "right", HOME), OK);
});

Deno.test("withThrottle() counts wrong passwords only, not failures", async () => {
  const { ask, asked } = newGuarded(
    {},
    () =>
      Promise.resolve({ decision: "authFailure", reason: "backend-timeout" }),
  );
  for (let i = 0; i < 200; i++) {
    const outcome = await ask("ann", `guess ${i}`);
    assertEquals(outcome, ["authFailure", "backend-timeout"]);
  }
  assertEquals(asked.length, 200);
});

Deno.test("withThrottle() forgives a guess at a time, and all within the window", async () => {
  using clock = newClock();
  const { ask, asked } = newGuarded({ now: clock.now });
  for (let i = 0; i < 10; i++) await ask("ann", `guess ${i}`);
  clock.wind(359_999);
  assertEquals(await ask("ann", "right"), throttled("pair"));
  clock.wind(1);
  assertEquals(await ask("ann", "next"), WRONG);
  assertEquals(await ask("ann", "right"), throttled("pair"));
  // Being refused costs nothing: the lock ends though somebody knocks.
  for (let i = 0; i < 360; i++) {
    clock.wind(1000);
    if ((await ask("ann", `knock ${i}`))[0] === "authInvalid") break;
  }
  assertEquals(asked.length, 12);
  clock.wind(3_600_000);
  assertEquals(await ask("ann", "right"), OK);
});

Deno.test("withThrottle() hands on the same request and the same signal", async () => {
  const seen: [AuthRequest, AbortSignal | undefined][] = [];
  const guarded = withThrottle((request, signal) => {
    seen.push([request, signal]);
    return "authOk";
  });
  const request = Object.freeze(newRequest());
  const { signal } = new AbortController();
  await guarded(request, signal);
  assertStrictEquals(seen[0]?.[0], request);
  assertStrictEquals(seen[0]?.[1], signal);
});

Deno.test("withThrottle() guards a provider that throws, rejects or talks nonsense", async () => {
  const rows: readonly (readonly [() => unknown, ProviderReason])[] = [
    [() => JSON.parse("!"), "provider-error"],
    [() => Promise.reject(new Error("down")), "provider-error"],
    [() => "yes", "provider-nonsense"],
    [() => Promise.resolve(undefined), "provider-nonsense"],
  ];
  for (const [answer, reason] of rows) {
    const provider = answer as AuthProvider;
    const { ask } = newGuarded({}, provider);
    assertEquals(await ask("ann", "x"), ["authFailure", reason]);
  }
});

Deno.test("withThrottle() keeps no password, and of a wrong one 20 bits", async () => {
  const texts: string[] = [];
  let hashes = 0;
  const memory = newMemoryStore();
  const store: Store = {
    read: memory.read,
    update: (keys, change) =>
      memory.update(keys, (values) => {
        const writes = change(values);
        texts.push(JSON.stringify([keys, writes]));
        for (
          const { value } of writes.filter(({ key }) => key === "t:user ann")
        ) {
          assert(isThrottleEntry(value));
          for (const guess of value.guesses) {
            assert(Number.isInteger(guess) && guess >= 0 && guess < 2 ** 20);
            hashes++;
          }
        }
        return writes;
      }),
  };
  const { ask } = newGuarded({ store });
  for (let i = 0; i < 20; i++) await ask("ann", `canary-7f3a-${i}`);
  assert(texts.length >= 10 && hashes >= 10);
  assertFalse(texts.join().includes("canary"));
});

Deno.test("withThrottle() asks no more than the limits allow, whoever guesses what", async () => {
  for (let seed = 1; seed <= 25; seed++) {
    using clock = newClock();
    const random = newRandom(seed);
    const { ask, asked } = newGuarded({ now: clock.now, windowMs: 1e9 });
    const distinct = new Map<string, Set<string>>();
    const count = (key: string, guess: string) => {
      const set = distinct.get(key) ?? new Set();
      distinct.set(key, set.add(guess));
      return set.size;
    };
    for (let step = 0; step < 250; step++) {
      const username = pick(random, ["ann", "bob", "dan"]);
      const net = random(6);
      const password = `guess ${random(40)}`;
      const before = asked.length;
      const [decision] = await ask(username, password, `10.0.${net}.1`);
      assertEquals(decision === "authInvalid", asked.length > before);
      clock.wind(random(100));
      if (decision !== "authInvalid") continue;
      const mine = count(username, password);
      assert(mine <= 20, `seed ${seed}: ${mine} guesses for ${username}`);
    }
    // Known guesses go on being asked for only while there is room.
    assert([...distinct.values()].every((set) => set.size === 20));
  }
});

Deno.test("withThrottle() refuses shared networks that are none", () => {
  for (const text of ["192.0.2.0/33", "localhost", ""]) {
    const error = assertThrows(
      () => withThrottle(users, { sharedNetworks: ["::1", text] }),
      TypeError,
    );
    assertEquals(
      error.message,
      `Cannot create throttle: sharedNetworks must be networks such as 192.0.2.0/24: got ${text}`,
    );
  }
});

Deno.test("withThrottle() refuses settings that cannot be meant", () => {
  const rows = [
    [{ delayMs: -1 }, "delayMs must be a number from 0 to 5000: got -1"],
    [{ delayMs: 5001 }, "delayMs must be a number from 0 to 5000: got 5001"],
    [{ delayMs: NaN }, "delayMs must be a number from 0 to 5000: got NaN"],
    [{ userLimit: 0 }, "userLimit must be an integer >= 1: got 0"],
    [{ pairLimit: 2.5 }, "pairLimit must be an integer >= 1: got 2.5"],
    [
      { networkLimit: Infinity },
      "networkLimit must be an integer >= 1: got Infinity",
    ],
    [
      { windowMs: 0 },
      "windowMs must be a number > 0 and <= 31536000000: got 0",
    ],
    [{ trustMs: -5 }, "trustMs must be a number from 0 to 31536000000: got -5"],
    [
      { storeTimeoutMs: 1001 },
      "storeTimeoutMs must be a number > 0 and <= 1000: got 1001",
    ],
    [
      { ipv4Prefix: 33 },
      "ipv4Prefix must be an integer from 0 to 32: got 33",
    ],
    [
      { ipv6Prefix: -1 },
      "ipv6Prefix must be an integer from 0 to 128: got -1",
    ],
  ] as const;
  for (const [options, rule] of rows) {
    const error = assertThrows(() => withThrottle(users, options), RangeError);
    assertEquals(error.message, `Cannot create throttle: ${rule}`);
  }
});
