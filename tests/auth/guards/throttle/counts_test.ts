import {
  afterRight,
  afterWrong,
  judge,
  throttleKeys,
  type ThrottleRules,
} from "../../../../auth/guards/throttle/counts.ts";
import type { ThrottleEntries } from "../../../../auth/guards/throttle/store.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
} from "../../../support/assert.ts";
import { newRandom } from "../../../support/random.ts";

const RULES: ThrottleRules = {
  userLimit: 20,
  pairLimit: 10,
  networkLimit: 100,
  windowMs: 3_600_000,
  trustMs: 604_800_000,
  delayMs: 5000,
};
const HOME = throttleKeys("ann", "192.0.2.0/24");
const NOTHING: ThrottleEntries = [undefined, undefined, undefined];
const START = 1_000_000_000;

const nobody = () => 0;

/** The entries after so many distinct guesses at one time. */
function guessed(count: number, entries = NOTHING, now = START) {
  let after = entries;
  for (let i = 0; i < count; i++) {
    after = afterWrong(HOME, after, i, RULES, now);
  }
  return after;
}

Deno.test("throttleKeys() has one key for an unknown network, else three", () => {
  assertEquals(throttleKeys("ann", undefined).keys, ["user ann"]);
  assertEquals(HOME.keys, [
    "user ann",
    "pair 192.0.2.0/24 ann",
    "network 192.0.2.0/24",
  ]);
});

Deno.test("judge() delays the last six guesses, each twice as long as the one before", () => {
  const delays = Array.from({ length: 11 }, (_, count) => {
    const verdict = judge(HOME, guessed(count), nobody, RULES, START);
    return verdict.kind === "ask" ? verdict.delayMs : verdict.kind;
  });
  assertEquals(delays, [
    ...[0, 0, 0, 0, 156.25, 312.5, 625, 1250, 2500, 5000],
    "refuse",
  ]);
});

Deno.test("judge() delays nobody who has not guessed, however low the limit", () => {
  const low = { ...RULES, pairLimit: 1 };
  const verdict = judge(HOME, NOTHING, nobody, low, START);
  assertEquals(verdict.kind === "ask" && verdict.delayMs, 0);
});

Deno.test("judge() lets one guess through for each that has drained", () => {
  const full = guessed(10);
  const step = RULES.windowMs / RULES.pairLimit;
  const rows = [
    [0, "refuse"],
    [step - 1, "refuse"],
    [step, "ask"],
    [RULES.windowMs, "ask"],
    // A clock that was set back: neither free at once nor locked for ever.
    [-1, "refuse"],
    [-RULES.windowMs, "ask"],
  ] as const;
  for (const [ms, kind] of rows) {
    assertEquals(
      judge(HOME, full, nobody, RULES, START + ms).kind,
      kind,
      `${ms}`,
    );
  }
  const next = afterWrong(HOME, full, 99, RULES, START + step);
  assertEquals(
    judge(HOME, next, nobody, RULES, START + step).kind,
    "refuse",
    "and not two",
  );
});

Deno.test("judge() tells which limit it was", () => {
  const elsewhere = throttleKeys("ann", "198.51.100.0/24");
  const [user] = guessed(20);
  const [, entry] = guessed(10);
  const rows = [
    [[user, undefined, undefined], "throttled-user"],
    [[undefined, entry, undefined], "throttled-pair"],
    [[undefined, undefined, entry], "throttled-network"],
  ] as const;
  for (const [entries, reason] of rows) {
    const twice = entries.map((each) => each && { ...each, count: 100 });
    assertEquals(judge(elsewhere, twice, nobody, RULES, START), {
      kind: "refuse",
      reason,
    });
  }
});

Deno.test("judge() lets no more in than would still fit if all were wrong", () => {
  const two = guessed(2);
  const verdict = (underWay: number) =>
    judge(
      HOME,
      two,
      (key) => key.startsWith("pair") ? underWay : 0,
      RULES,
      START,
    );
  assertEquals(verdict(7).kind, "ask");
  assertEquals(verdict(8), {
    kind: "wait",
    key: "pair 192.0.2.0/24 ann",
    reason: "throttled-pair",
  });
});

Deno.test("afterWrong() counts a guess once for the user, the pair and the network", () => {
  const once = guessed(1);
  assertEquals(once.map((entry) => entry?.count), [1, 1, 1]);
  let entries = guessed(2);
  const counts = entries.map((entry) => entry?.count);
  for (let i = 0; i < 500; i++) {
    entries = afterWrong(HOME, entries, i % 2, RULES, START);
  }
  assertEquals(entries.map((entry) => entry?.count), counts);
});

Deno.test("afterWrong() leaves everything as it is for the latest guess again", () => {
  const entries = guessed(3);
  assertStrictEquals(afterWrong(HOME, entries, 2, RULES, START + 1), entries);
});

Deno.test("afterWrong() counts no higher than the limit, so that locks end", () => {
  const entries = guessed(1000);
  assertEquals(entries.map((entry) => entry?.count), [20, 10, 100]);
  const later = START + RULES.windowMs;
  assertEquals(judge(HOME, entries, nobody, RULES, later).kind, "ask");
});

Deno.test("afterWrong() remembers 64 guesses, those of late", () => {
  const [user] = guessed(100);
  assertEquals(user?.guesses, Array.from({ length: 64 }, (_, i) => 36 + i));
});

Deno.test("afterWrong() keeps old guesses longer than the count, or devices would pay", () => {
  const [user, pair, network] = guessed(1);
  assertEquals(
    [user, pair, network].map((entry) => entry?.keepMs),
    [RULES.trustMs, RULES.windowMs, RULES.windowMs],
  );
});

Deno.test("afterRight() trusts the network, and takes back what its pair counted", () => {
  const elsewhere = throttleKeys("ann", "198.51.100.0/24");
  const [user, pair, network] = guessed(5);
  const [both, otherPair] = afterWrong(
    elsewhere,
    [user, undefined, undefined],
    77,
    RULES,
    START,
  );
  assertEquals([both?.count, otherPair?.count], [6, 1]);
  const others = network && { ...network, count: 9 };
  const after = afterRight(HOME, [both, pair, others], RULES, START);
  assertEquals(after.map((entry) => entry?.count), [1, undefined, 4]);
  assertEquals(after[0]?.networks, [{ network: "192.0.2.0/24", at: START }]);
});

Deno.test("afterRight() notes the same network again only after a while", () => {
  const after = afterRight(HOME, NOTHING, RULES, START);
  const soon = START + RULES.trustMs / 24 - 1;
  assertStrictEquals(afterRight(HOME, after, RULES, soon), after);
  const [user] = afterRight(HOME, after, RULES, soon + 1);
  assertEquals(user?.networks, [{ network: "192.0.2.0/24", at: soon + 1 }]);
});

Deno.test("afterRight() has nothing to note for an unknown network", () => {
  const somewhere = throttleKeys("ann", undefined);
  const entries = afterWrong(somewhere, [undefined], 1, RULES, START);
  assertStrictEquals(afterRight(somewhere, entries, RULES, START), entries);
});

Deno.test("afterRight() remembers eight networks, those of late", () => {
  let [user] = NOTHING;
  for (let i = 0; i < 12; i++) {
    const keys = throttleKeys("ann", `network ${i}`);
    [user] = afterRight(keys, [user, undefined, undefined], RULES, START + i);
  }
  assertEquals(
    user?.networks.map(({ at }) => at - START),
    [4, 5, 6, 7, 8, 9, 10, 11],
  );
});

Deno.test("judge() exempts a user where that user has been lately, up to a network's limit", () => {
  const [user] = afterRight(HOME, guessed(20), RULES, START);
  const full = guessed(20, [user, undefined, undefined]).map((entry) =>
    entry && { ...entry, count: 1000 }
  );
  const locked = [full[0], undefined, full[2]];
  assertEquals(judge(HOME, locked, nobody, RULES, START), {
    kind: "ask",
    delayMs: 0,
    counted: ["pair 192.0.2.0/24 ann"],
  });
  const lapsed = START + RULES.trustMs;
  const still = locked.map((entry) => entry && { ...entry, at: lapsed });
  assertEquals(judge(HOME, still, nobody, RULES, lapsed).kind, "refuse");
  const entries = guessed(99, afterRight(HOME, NOTHING, RULES, START));
  assertEquals(entries.map((entry) => entry?.count), [0, 99, undefined]);
  assertEquals(judge(HOME, entries, nobody, RULES, START).kind, "ask");
  assertEquals(
    judge(HOME, guessed(100, entries), nobody, RULES, START),
    { kind: "refuse", reason: "throttled-pair" },
  );
});

Deno.test("judge() never waits longer than the window, whatever came before", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const random = newRandom(seed);
    const keys = throttleKeys("ann", random(4) === 0 ? undefined : "n");
    let entries: ThrottleEntries = keys.keys.map(() => undefined);
    let now = START;
    for (let step = 0; step < 120; step++) {
      now += random(100_000);
      entries = random(20) === 0
        ? afterRight(keys, entries, RULES, now)
        : afterWrong(keys, entries, random(200), RULES, now);
      for (const entry of entries) {
        if (entry === undefined) continue;
        assert(entry.count >= 0 && entry.count <= RULES.networkLimit);
        assert(entry.guesses.length <= 64 && entry.networks.length <= 8);
        assertEquals(new Set(entry.guesses).size, entry.guesses.length);
      }
    }
    const { kind } = judge(keys, entries, nobody, RULES, now + RULES.windowMs);
    assertEquals(kind, "ask", `seed ${seed}`);
  }
});
