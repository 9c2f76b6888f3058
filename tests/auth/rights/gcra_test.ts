import {
  afterCharge,
  afterRefund,
  type Rate,
  waitFor,
} from "../../../auth/rights/gcra.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { newRandom, pick } from "../../support/random.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 26);

/** One key, charged as far as the rate allows. */
function newKey(rate: Rate) {
  let until: number | undefined;
  return {
    waitFor: (now: number, units: number) => waitFor(rate, until, now, units),
    charge: (now: number, units: number) => {
      const fits = waitFor(rate, until, now, units) === 0;
      if (fits) until = afterCharge(rate, until, now, units);
      return fits;
    },
    refund: (now: number, units: number, chargedAt: number) => {
      until = afterRefund(rate, until, now, units, chargedAt);
    },
  };
}

/**
 * The slow way: every charge is kept, and what is left of all of them is added
 * up anew each time, in whole numbers of the `windowMs`-th part of a unit.
 */
function newReference({ most, windowMs }: Rate) {
  const charges: { readonly at: number; readonly parts: bigint }[] = [];
  const levelAt = (now: number) => {
    let level = 0n;
    let last = 0;
    for (const { at, parts } of [...charges, { at: now, parts: 0n }]) {
      const drained = BigInt(at - last) * BigInt(most);
      level = (level > drained ? level - drained : 0n) + parts;
      last = at;
    }
    return level;
  };
  return {
    charge(now: number, units: number): boolean {
      const parts = BigInt(units) * BigInt(windowMs);
      const fits = levelAt(now) + parts <= BigInt(most) * BigInt(windowMs);
      if (fits) charges.push({ at: now, parts });
      return fits;
    },
  };
}

Deno.test("waitFor() and afterCharge() allow what a slow reference allows, at random times", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = newRandom(seed);
    const windowMs = pick(random, [MINUTE_MS, DAY_MS]);
    const most = pick(random, [1, 2, 3, 7, 10, 50, 333]);
    const rate = { most, windowMs };
    const key = newKey(rate);
    const reference = newReference(rate);
    const unit = Math.ceil(windowMs / most);
    let now = NOW + random(1000);
    for (let step = 0; step < 150; step++) {
      // In bursts, and at about the pace at which one unit more fits.
      now += pick(random, [
        0,
        0,
        1,
        unit - 1,
        unit,
        unit + 1,
        random(3 * unit),
      ]);
      const units = 1 + random(Math.min(most, 4));
      assertEquals(
        key.charge(now, units),
        reference.charge(now, units),
        `seed ${seed}, step ${step}: ${units} of ${most}`,
      );
    }
  }
});

Deno.test("waitFor() lets as many units through at once as there may be, and no more", () => {
  for (const windowMs of [MINUTE_MS, DAY_MS]) {
    for (const most of [1, 3, 7, 11, 60, 997, 7001]) {
      const key = newKey({ most, windowMs });
      for (let i = 0; i < most; i++) assert(key.charge(NOW, 1));
      assert(!key.charge(NOW, 1), `${most} in ${windowMs}`);
      // All is forgiven after a window, and not before: rounding is no matter.
      assert(key.waitFor(NOW + 0.9999 * windowMs, most) > 0);
      assertEquals(key.waitFor(NOW + windowMs, most), 0);
    }
  }
});

Deno.test("waitFor() lets at most twice the limit through in any window", () => {
  const rate = { most: 6, windowMs: MINUTE_MS };
  const key = newKey(rate);
  const charged: number[] = [];
  for (let now = NOW; now < NOW + 3 * MINUTE_MS; now += 1000) {
    while (key.charge(now, 1)) charged.push(now);
  }
  const inWindow = charged.map((from) =>
    charged.filter((at) => at >= from && at < from + MINUTE_MS).length
  );
  // All at once, and what is forgiven until the window ends.
  assertEquals(Math.max(...inWindow), 11);
});

Deno.test("waitFor() says exactly when units fit", () => {
  const random = newRandom(7);
  for (let i = 0; i < 200; i++) {
    const most = 1 + random(40);
    const key = newKey({ most, windowMs: MINUTE_MS });
    while (key.charge(NOW, 1 + random(3)));
    const units = 1 + random(most);
    const waitMs = key.waitFor(NOW, units);
    if (waitMs === 0) continue;
    assertEquals(key.waitFor(NOW + waitMs, units), 0);
    assert(key.waitFor(NOW + waitMs - 1, units) > 0);
  }
});

Deno.test("waitFor() says when what is beyond the limit fits, once the rest is counted", () => {
  const rate = { most: 4, windowMs: MINUTE_MS };
  assertEquals(waitFor(rate, undefined, NOW, 6), 30_000);
  const until = afterCharge(rate, undefined, NOW, 4);
  assertEquals(waitFor(rate, until, NOW, 2), 30_000);
});

Deno.test("afterRefund() gives back what was charged, and nothing that has drained", () => {
  const key = newKey({ most: 4, windowMs: 4000 });
  assert(key.charge(NOW, 4));
  key.refund(NOW, 4, NOW);
  assert(key.charge(NOW, 4));
  assert(!key.charge(NOW, 1));

  // One of two is given back after half of it has drained.
  const other = newKey({ most: 2, windowMs: 2000 });
  assert(other.charge(NOW, 2));
  other.refund(NOW + 500, 1, NOW);
  assertEquals(other.waitFor(NOW + 500, 1), 0);
  assertEquals(other.waitFor(NOW + 500, 2), 1000);
});

Deno.test("afterRefund() is no way around the limit, whatever is given back when", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = newRandom(seed);
    const rate = { most: 1 + random(9), windowMs: MINUTE_MS };
    const key = newKey(rate);
    const kept = newReference(rate);
    const open: { readonly at: number; readonly units: number }[] = [];
    let now = NOW;
    for (let step = 0; step < 120; step++) {
      now += random(9000);
      const back = random(2) === 0 ? open.pop() : undefined;
      if (back !== undefined) {
        key.refund(now, back.units, back.at);
        continue;
      }
      const units = 1 + random(2);
      if (!key.charge(now, units)) continue;
      // What is never given back must fit by itself.
      if (random(3) === 0) open.push({ at: now, units });
      else assert(kept.charge(now, units), `seed ${seed}, step ${step}`);
    }
  }
});

Deno.test("waitFor() keeps nobody out for longer than a window when the clock goes back", () => {
  const rate = { most: 2, windowMs: MINUTE_MS };
  const until = afterCharge(rate, undefined, NOW + DAY_MS, 2);
  assertEquals(waitFor(rate, until, NOW, 2), MINUTE_MS);
});

Deno.test("waitFor() takes limits of any size", () => {
  const rate = { most: Number.MAX_SAFE_INTEGER, windowMs: DAY_MS };
  assertEquals(waitFor(rate, undefined, NOW, 1000), 0);
  const until = afterCharge(rate, undefined, NOW, 1000);
  assert(until > NOW && until < NOW + DAY_MS);
});
