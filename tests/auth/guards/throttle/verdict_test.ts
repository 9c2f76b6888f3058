import {
  afterGone,
  afterLate,
  afterRight,
  afterWrong,
} from "../../../../auth/guards/throttle/changes.ts";
import type {
  ThrottleEntries,
  ThrottleEntry,
} from "../../../../auth/guards/throttle/entry.ts";
import { judge } from "../../../../auth/guards/throttle/verdict.ts";
import { assert, assertEquals } from "../../../support/assert.ts";
import { newRandom } from "../../../support/random.ts";
import {
  AWAY,
  countsOf,
  guessed,
  HOME,
  judged,
  keysFrom,
  LIMITS,
  NOTHING,
  reading,
  rulesOf,
  START,
  UNKNOWN,
} from "../../../support/throttle_counts.ts";

Deno.test("judge() delays the last six guesses, each twice as long as the one before", () => {
  const delays = Array.from({ length: 11 }, (_, count) => {
    const verdict = judged(HOME, guessed(count));
    return verdict.kind === "ask" ? verdict.delayMs : verdict.kind;
  });
  assertEquals(delays, [
    ...[0, 0, 0, 0, 156.25, 312.5, 625, 1250, 2500, 5000],
    "refuse",
  ]);
});

Deno.test("judge() delays nobody who has not guessed, however low the limit", () => {
  const low = rulesOf({ ...LIMITS, pairLimit: 1 });
  const verdict = judged(HOME, NOTHING, START, low);
  assertEquals(verdict.kind === "ask" && verdict.delayMs, 0);
});

Deno.test("judge() lets one guess through for each that has drained", () => {
  const full = guessed(10);
  const step = LIMITS.windowMs / LIMITS.pairLimit;
  const rows = [
    [0, "refuse"],
    [step - 1, "refuse"],
    [step, "ask"],
    [LIMITS.windowMs, "ask"],
    // A clock that was set back: neither free at once nor locked for ever.
    [-1, "refuse"],
    [-LIMITS.windowMs, "ask"],
  ] as const;
  for (const [ms, kind] of rows) {
    assertEquals(judged(HOME, full, START + ms).kind, kind, `${ms}`);
  }
  const next = afterWrong(reading(HOME, full, START + step), 99);
  assertEquals(judged(HOME, next, START + step).kind, "refuse", "and not two");
});

Deno.test("judge() tells which limit it was", () => {
  const [user] = guessed(20);
  const [, entry] = guessed(10);
  const rows = [
    [[user, undefined, undefined], "throttled-user"],
    [[undefined, entry, undefined], "throttled-pair"],
    [[undefined, undefined, entry], "throttled-network"],
  ] as const;
  for (const [entries, reason] of rows) {
    const twice = entries.map((each) => each && { ...each, count: 100 });
    assertEquals(judged(AWAY, twice), { kind: "refuse", reason });
  }
});

Deno.test("judge() lets no more in than would still fit if all were wrong", () => {
  const two = guessed(2);
  const verdict = (taken: number) =>
    judge(reading(HOME, two), (place) => place.startsWith("pair") ? taken : 0);
  assertEquals(verdict(7).kind, "ask");
  assertEquals(verdict(8), {
    kind: "wait",
    place: "pair 192.0.2.0/24 ann",
    reason: "throttled-pair",
  });
});

Deno.test("judge() exempts a user where that user has been lately, up to a network's limit", () => {
  const [user] = afterRight(reading(HOME, guessed(20)));
  const [full, , network] = guessed(20, [user, undefined, undefined]);
  const most = (entry: ThrottleEntry | undefined) =>
    entry && { ...entry, count: 1000 };
  const locked = [most(full), undefined, most(network)];
  assertEquals(judged(HOME, locked), {
    kind: "ask",
    delayMs: 0,
    places: ["home pair 192.0.2.0/24 ann", "home network 192.0.2.0/24"],
  });
  const lapsed = START + LIMITS.trustMs;
  const still = locked.map((entry) => entry && { ...entry, at: lapsed });
  assertEquals(judged(HOME, still, lapsed).kind, "refuse");
  const entries = guessed(99, afterRight(reading(HOME, NOTHING)));
  assertEquals(countsOf(entries), [0, 0, 0]);
  assertEquals(entries.map((entry) => entry?.home), [0, 99, 99]);
  assertEquals(judged(HOME, entries).kind, "ask");
  assertEquals(judged(HOME, guessed(100, entries)), {
    kind: "refuse",
    reason: "throttled-pair",
  });
});

Deno.test("judge() never waits longer than the window, whatever came before", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = newRandom(seed);
    const keys = [
      UNKNOWN,
      HOME,
      keysFrom("2001:db8::/56", "2001:db8::/48"),
    ][random(3)] ?? HOME;
    let entries: ThrottleEntries = keys.keys.map(() => undefined);
    let now = START;
    for (let step = 0; step < 120; step++) {
      now += random(100_000);
      const at = reading(keys, entries, now);
      const changes = [
        () => afterRight(at),
        () => afterLate(at),
        () => afterGone(at),
      ];
      entries = (changes[random(60)] ?? (() => afterWrong(at, random(200))))();
      for (const entry of entries) {
        if (entry === undefined) continue;
        for (const count of [entry.count, entry.home, entry.late]) {
          assert(count >= 0 && count <= 10 * LIMITS.networkLimit);
        }
        assert(entry.guesses.length <= 64 && entry.networks.length <= 8);
        assertEquals(new Set(entry.guesses).size, entry.guesses.length);
      }
    }
    const { kind } = judged(keys, entries, now + LIMITS.windowMs);
    assertEquals(kind, "ask", `seed ${seed}`);
  }
});
