// The arithmetic against a model that counts each second, over random histories.

import {
  afterGone,
  afterLate,
  afterRight,
  afterWrong,
} from "../../../../auth/guards/throttle/changes.ts";
import {
  judge,
  type Verdict,
} from "../../../../auth/guards/throttle/verdict.ts";
import {
  type Origin,
  throttleKeys,
} from "../../../../auth/guards/throttle/keys.ts";
import {
  newMeters,
  type ThrottleLimits,
} from "../../../../auth/guards/throttle/meters.ts";
import type { ThrottleEntry } from "../../../../auth/guards/throttle/entry.ts";
import { assert, assertEquals } from "../../../support/assert.ts";
import { newRandom, pick } from "../../../support/random.ts";

const WINDOW_S = 600;
const TRUST_S = 2400;

/** Guesses that drain second by second. */
class Bucket {
  level = 0;
  #left = -1;
  #at = 0;
  readonly #limit: number;

  constructor(limit: number, now: number) {
    this.#limit = limit;
    this.#at = now;
  }

  /** What is left now. */
  at(now: number): number {
    for (; this.#at < now; this.#at++) {
      this.#left = this.level - this.#limit / WINDOW_S;
      this.level = Math.max(0, this.#left);
    }
    return this.level;
  }

  /** Whether the count is whole, so that a rounding may make one of it or none. */
  isAtEdge(now: number): boolean {
    const level = this.at(now);
    return level > 0 || Math.abs(this.#left) < 1e-6
      ? Math.abs(level - Math.round(level)) < 1e-6
      : false;
  }

  add(count: number, now: number): void {
    this.level = Math.max(0, Math.min(this.#limit, this.at(now) + count));
  }
}

interface Rule {
  readonly bucket: string;
  readonly limit: number;
  /** At how many the longest delay is reached. */
  readonly slowest: number;
  readonly isLate?: boolean;
}

/** The rules as the documentation tells them. */
function rulesFor(
  name: string,
  origin: Origin,
  trusted: boolean,
  { userLimit, pairLimit, networkLimit }: ThrottleLimits,
): readonly Rule[] {
  const rule = (bucket: string, limit: number, slowest = limit) => ({
    bucket,
    limit,
    slowest,
  });
  const late = (bucket: string, limit: number) => ({
    ...rule(`late ${bucket}`, limit),
    isLate: true,
  });
  if (origin.kind === "unknown") {
    return [
      rule(`? ${name}`, 10 * userLimit, userLimit),
      late(`? ${name}`, userLimit),
    ];
  }
  const { network, site } = origin;
  const pair = `${network} ${name}`;
  if (origin.kind === "shared") {
    return trusted
      ? [rule(`home ${pair}`, networkLimit), late(pair, userLimit)]
      : [rule(name, userLimit), rule(pair, userLimit), late(pair, userLimit)];
  }
  if (trusted) {
    return [
      rule(`home ${pair}`, networkLimit),
      rule(`home ${network}`, 10 * networkLimit),
      late(pair, pairLimit),
    ];
  }
  const wide = Math.max(
    pairLimit,
    Math.min(4 * pairLimit, Math.floor(userLimit * 0.75)),
  );
  const both = [
    [pair, pairLimit],
    [network, networkLimit],
    ...(site === undefined
      ? []
      : [[`${site} ${name}`, wide], [site, 4 * networkLimit]] as const),
  ] as const;
  return [
    rule(name, userLimit),
    ...both.map(([bucket, limit]) => rule(bucket, limit)),
    ...both.map(([bucket, limit]) => late(bucket, limit)),
  ];
}

/** What may be asked, and when; as slow as it is plain. */
class Model {
  readonly #buckets = new Map<string, Bucket>();
  readonly #known = new Map<string, number[]>();
  readonly #trusted = new Map<string, number>();
  readonly #limits: ThrottleLimits;

  constructor(limits: ThrottleLimits) {
    this.#limits = limits;
  }

  #bucket({ bucket, limit }: Rule, now: number): Bucket {
    const found = this.#buckets.get(bucket) ?? new Bucket(limit, now);
    this.#buckets.set(bucket, found);
    return found;
  }

  #rules(name: string, origin: Origin, now: number): readonly Rule[] {
    const at = origin.kind === "unknown"
      ? undefined
      : this.#trusted.get(`${origin.network} ${name}`);
    const trusted = at !== undefined && now - at < TRUST_S;
    return rulesFor(name, origin, trusted, this.#limits);
  }

  /** Whether it is refused, and else how long it is delayed; NaN at an edge. */
  judge(name: string, origin: Origin, now: number): number | "refuse" {
    let longest = 0;
    for (const rule of this.#rules(name, origin, now)) {
      const bucket = this.#bucket(rule, now);
      const level = bucket.at(now);
      if (bucket.isAtEdge(now)) return NaN;
      if (rule.isLate !== true && level > rule.limit - 1) return "refuse";
      const left = Math.max(1, rule.slowest - Math.ceil(level));
      const most = rule.isLate === true ? 2500 : 5000;
      if (level > 0 && left <= 6) {
        longest = Math.max(longest, most / 2 ** (left - 1));
      }
    }
    return longest;
  }

  #takeBack(
    name: string,
    origin: Origin,
    now: number,
    isBack: (rule: Rule) => boolean,
  ): void {
    const rules = this.#rules(name, origin, now);
    const kinds = [
      rules.filter((rule) => rule.isLate === true),
      rules.filter((rule) => rule.isLate !== true),
    ].map((kind) => kind.filter(isBack));
    for (const kind of kinds) {
      const own = kind.find(({ bucket }) =>
        origin.kind === "unknown"
          ? bucket.includes("?")
          : bucket.endsWith(`${origin.network} ${name}`)
      );
      if (own === undefined) continue;
      const share = this.#bucket(own, now).at(now);
      // Late ones are taken back from all, whoever is trusted now.
      const from = own.isLate === true
        ? rulesFor(name, origin, false, this.#limits).filter((rule) =>
          rule.isLate === true
        )
        : kind;
      for (const rule of from) this.#bucket(rule, now).add(-share, now);
    }
  }

  wrong(name: string, origin: Origin, guess: number, now: number): void {
    this.#takeBack(name, origin, now, ({ isLate }) => isLate === true);
    const list = origin.kind === "unknown" ? `? ${name}` : name;
    const known = this.#known.get(list) ?? [];
    if (!known.includes(guess)) {
      for (const rule of this.#rules(name, origin, now)) {
        if (rule.isLate !== true) this.#bucket(rule, now).add(1, now);
      }
    }
    const others = known.filter((each) => each !== guess);
    this.#known.set(list, [...others, guess].slice(-64));
  }

  right(name: string, origin: Origin, now: number): void {
    const isKnown = origin.kind !== "unknown";
    this.#takeBack(name, origin, now, ({ isLate }) => isKnown || !!isLate);
    if (!isKnown) return;
    const key = `${origin.network} ${name}`;
    const at = this.#trusted.get(key);
    if (at === undefined || now - at >= TRUST_S / 24) {
      this.#trusted.set(key, now);
    }
  }

  late(name: string, origin: Origin, now: number): void {
    for (const rule of this.#rules(name, origin, now)) {
      if (rule.isLate === true) this.#bucket(rule, now).add(1, now);
    }
  }

  gone(name: string, origin: Origin, now: number): void {
    if (origin.kind !== "open") return;
    const { network, site } = origin;
    const networks = [network, `home ${network}`, site];
    for (const rule of this.#rules(name, origin, now)) {
      if (networks.includes(rule.bucket)) this.#bucket(rule, now).add(1, now);
    }
  }
}

const V6 = ["2001:db8::/56", "2001:db8:0:100::/56", "2001:db8:0:200::/56"];
const ORIGINS: readonly Origin[] = [
  { kind: "unknown" },
  { kind: "shared", network: "127.0.0.0/24", site: undefined },
  { kind: "open", network: "192.0.2.0/24", site: undefined },
  { kind: "open", network: "198.51.100.0/24", site: undefined },
  ...V6.map((network) =>
    ({ kind: "open", network, site: "2001:db8::/48" }) as const
  ),
];

function told(verdict: Verdict): number | "refuse" {
  assert(verdict.kind !== "wait");
  return verdict.kind === "ask" ? verdict.delayMs : "refuse";
}

Deno.test("judge() and what answers change agree with a model that counts each second", () => {
  let [asks, delays, refusals] = [0, 0, 0];
  for (let seed = 1; seed <= 60; seed++) {
    const random = newRandom(seed);
    const limits: ThrottleLimits = {
      userLimit: 1 + random(20),
      pairLimit: 1 + random(12),
      networkLimit: 1 + random(20),
      windowMs: 1000 * WINDOW_S,
      trustMs: 1000 * TRUST_S,
      delayMs: 5000,
    };
    const rules = { limits, meters: newMeters(limits) };
    const model = new Model(limits);
    const store = new Map<string, ThrottleEntry | undefined>();
    for (let step = 0, second = 0; step < 400; step++) {
      second += pick(random, [0, 0, 1, 2, 7, 40]);
      const name = pick(random, ["ann", "bob", "carl"]);
      const origin = pick(random, ORIGINS);
      const of = throttleKeys(name, origin);
      const entries = of.keys.map((key) => store.get(key));
      const reading = { rules, of, entries, now: 1000 * second };
      const actual = told(judge(reading, () => 0));
      const expected = model.judge(name, origin, second);
      if (!Number.isNaN(expected)) {
        const what = `seed ${seed}, step ${step}`;
        if (actual === "refuse" || expected === "refuse") {
          assertEquals(actual, expected, what);
        } else assert(Math.abs(actual - expected) < 1e-6, what);
        if (expected === "refuse") refusals++;
        else if (expected > 0) delays++;
        else asks++;
      }
      if (actual === "refuse") continue;
      const guess = random(30);
      const changes = [
        () => (model.right(name, origin, second), afterRight(reading)),
        () => (model.late(name, origin, second), afterLate(reading)),
        () => (model.gone(name, origin, second), afterGone(reading)),
        () => {
          model.wrong(name, origin, guess, second);
          return afterWrong(reading, guess);
        },
      ];
      const after = pick(random, [...changes, ...changes.slice(3)])();
      of.keys.forEach((key, i) => store.set(key, after[i]));
    }
  }
  assert(asks > 1000 && delays > 1000 && refusals > 1000);
});
