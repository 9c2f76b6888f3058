/**
 * The arithmetic of a throttle, for one user from some networks.
 *
 * @module
 */

import { afterWrong } from "../../auth/guards/throttle/changes.ts";
import {
  type Origin,
  type ThrottleKeys,
  throttleKeys,
} from "../../auth/guards/throttle/keys.ts";
import {
  newMeters,
  type ThrottleLimits,
} from "../../auth/guards/throttle/meters.ts";
import type {
  Reading,
  ThrottleRules,
} from "../../auth/guards/throttle/reading.ts";
import type { ThrottleEntries } from "../../auth/guards/throttle/entry.ts";
import { judge, type Verdict } from "../../auth/guards/throttle/verdict.ts";

/** The limits if nothing else is said. */
export const LIMITS: ThrottleLimits = {
  userLimit: 20,
  pairLimit: 10,
  networkLimit: 100,
  windowMs: 3_600_000,
  trustMs: 604_800_000,
  delayMs: 5000,
};
const RULES = rulesOf(LIMITS);
/** The keys of ann, from a network. */
export const HOME: ThrottleKeys = keysFrom("192.0.2.0/24");
/** From another one. */
export const AWAY: ThrottleKeys = keysFrom("198.51.100.0/24");
/** From no known address. */
export const UNKNOWN: ThrottleKeys = throttleKeys("ann", { kind: "unknown" });
/** Nothing is counted. */
export const NOTHING: ThrottleEntries = [undefined, undefined, undefined];
/** When it all begins, in milliseconds. */
export const START: number = 1_000_000_000;

/** All rules that follow from limits. */
export function rulesOf(limits: ThrottleLimits): ThrottleRules {
  return { limits, meters: newMeters(limits) };
}

/** The keys of ann, from an IPv6 site perhaps. */
export function keysFrom(network: string, site?: string): ThrottleKeys {
  const origin: Origin = { kind: "open", network, site };
  return throttleKeys("ann", origin);
}

/** What there is to judge by. */
export function reading(
  of: ThrottleKeys,
  entries: ThrottleEntries,
  now: number = START,
  rules: ThrottleRules = RULES,
): Reading {
  return { rules, of, entries, now };
}

/** What comes of a request while nobody else is under way. */
export function judged(
  of: ThrottleKeys,
  entries: ThrottleEntries,
  now: number = START,
  rules: ThrottleRules = RULES,
): Verdict {
  return judge(reading(of, entries, now, rules), () => 0);
}

/** The entries after so many distinct guesses at one time. */
export function guessed(
  count: number,
  entries: ThrottleEntries = NOTHING,
  now: number = START,
): ThrottleEntries {
  let after = entries;
  for (let i = 0; i < count; i++) {
    after = afterWrong(reading(HOME, after, now), i);
  }
  return after;
}

/** What has been guessed, by entry. */
export function countsOf(
  entries: ThrottleEntries,
): readonly (number | undefined)[] {
  return entries.map((entry) => entry?.count);
}
