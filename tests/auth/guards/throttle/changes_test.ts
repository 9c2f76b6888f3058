import {
  afterGone,
  afterLate,
  afterRight,
  afterWrong,
} from "../../../../auth/guards/throttle/changes.ts";
import {
  type Origin,
  throttleKeys,
} from "../../../../auth/guards/throttle/keys.ts";
import type { ThrottleEntries } from "../../../../auth/guards/throttle/entry.ts";
import { assertEquals, assertStrictEquals } from "../../../support/assert.ts";
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
  START,
  UNKNOWN,
} from "../../../support/throttle_counts.ts";

Deno.test("afterWrong() counts a guess once for the user, the pair and the network", () => {
  assertEquals(countsOf(guessed(1)), [1, 1, 1]);
  let entries = guessed(2);
  const counts = countsOf(entries);
  for (let i = 0; i < 500; i++) {
    entries = afterWrong(reading(HOME, entries), i % 2);
  }
  assertEquals(countsOf(entries), counts);
});

Deno.test("afterWrong() leaves everything as it is for the latest guess again", () => {
  const entries = guessed(3);
  const again = afterWrong(reading(HOME, entries, START + 1), 2);
  assertStrictEquals(again, entries);
});

Deno.test("afterWrong() counts no higher than the limit, so that locks end", () => {
  const entries = guessed(1000);
  assertEquals(countsOf(entries), [20, 10, 100]);
  assertEquals(judged(HOME, entries, START + LIMITS.windowMs).kind, "ask");
});

Deno.test("afterWrong() remembers 64 guesses, those of late", () => {
  const [user] = guessed(100);
  assertEquals(user?.guesses, Array.from({ length: 64 }, (_, i) => 36 + i));
});

Deno.test("afterWrong() keeps a user's old guesses longer than the count, or devices would pay, and a made-up name's not", () => {
  const { windowMs, trustMs } = LIMITS;
  const keeps = (entries: ThrottleEntries) =>
    entries.map((entry) => entry?.keepMs);
  assertEquals(keeps(guessed(1)), [windowMs, windowMs, windowMs]);
  const right = afterRight(reading(AWAY, NOTHING));
  assertEquals(keeps(guessed(1, right)), [trustMs, windowMs, windowMs]);
});

Deno.test("afterRight() trusts the network, and takes back what its pair counted", () => {
  const [user, pair, network] = guessed(5);
  const away = reading(AWAY, [user, undefined, undefined]);
  const [both, otherPair] = afterWrong(away, 77);
  assertEquals([both?.count, otherPair?.count], [6, 1]);
  const others = network && { ...network, count: 9 };
  const after = afterRight(reading(HOME, [both, pair, others]));
  assertEquals(countsOf(after), [1, undefined, 4]);
  assertEquals(after[0]?.networks, [
    { user: "ann", network: "192.0.2.0/24", at: START },
  ]);
});

Deno.test("afterRight() notes the same network again only after a while", () => {
  const after = afterRight(reading(HOME, NOTHING));
  const soon = START + LIMITS.trustMs / 24 - 1;
  assertStrictEquals(afterRight(reading(HOME, after, soon)), after);
  const [user] = afterRight(reading(HOME, after, soon + 1));
  assertEquals(user?.networks, [
    { user: "ann", network: "192.0.2.0/24", at: soon + 1 },
  ]);
});

Deno.test("afterRight() has nothing to note where no address is known", () => {
  const entries = afterWrong(reading(UNKNOWN, [undefined]), 1);
  assertStrictEquals(afterRight(reading(UNKNOWN, entries)), entries);
});

Deno.test("afterRight() remembers eight networks, those of late", () => {
  let [user] = NOTHING;
  for (let i = 0; i < 12; i++) {
    const entries = [user, undefined, undefined];
    [user] = afterRight(reading(keysFrom(`network ${i}`), entries, START + i));
  }
  assertEquals(
    user?.networks.map(({ at }) => at - START),
    [4, 5, 6, 7, 8, 9, 10, 11],
  );
});

Deno.test("afterRight() remembers 32 logins of all whose names are counted as one, and takes nobody's away", () => {
  let [user] = afterRight(reading(HOME, NOTHING));
  for (let i = 0; i < 100; i++) {
    const origin: Origin = {
      kind: "open",
      network: `network ${i}`,
      site: undefined,
    };
    const name = `ann${String.fromCharCode(0x300 + (i & 15))}`;
    const keys = throttleKeys(name, origin);
    assertEquals(keys.keys[0], "user ann");
    const entries = [user, undefined, undefined];
    [user] = afterRight(reading(keys, entries, START + i));
  }
  assertEquals(user?.networks.length, 32);
  assertEquals(user?.networks[0]?.user, "ann");
  // Its own oldest goes for its own next, and lapsed ones go for anybody's.
  const own = reading(AWAY, [user, undefined, undefined], START + 200);
  const [after] = afterRight(own);
  assertEquals(after?.networks.length, 32);
  assertEquals(
    after?.networks.filter(({ user }) => user === "ann"),
    [{ user: "ann", network: "198.51.100.0/24", at: START + 200 }],
  );
  const later = START + 200 + LIMITS.trustMs;
  const [last] = afterRight(
    reading(HOME, [after, undefined, undefined], later),
  );
  assertEquals(last?.networks.length, 1);
});

Deno.test("afterLate() and afterGone() leave no entry behind in which nothing is left", () => {
  const late = afterLate(reading(HOME, NOTHING));
  assertEquals(late.map((entry) => entry?.late), [undefined, 1, 1]);
  const [, ...rest] = afterRight(reading(HOME, late));
  assertEquals(rest, [undefined, undefined]);
  const gone = afterGone(reading(HOME, NOTHING));
  assertEquals(countsOf(gone), [undefined, undefined, 1]);
  assertStrictEquals(afterGone(reading(UNKNOWN, [undefined]))[0], undefined);
});
