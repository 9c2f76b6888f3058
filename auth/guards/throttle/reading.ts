/**
 * What there is to judge a request by: its entries at a time.
 *
 * @module
 */

import { isWithin, loginAt } from "./entries.ts";
import { AT, type ThrottleKeys } from "./keys.ts";
import type { Meter, MetersByOrigin, ThrottleLimits } from "./meters.ts";
import type { ThrottleEntries, ThrottleEntry } from "./entry.ts";

/** What a throttle counts by. */
export interface ThrottleRules {
  /** Limits and times. */
  readonly limits: ThrottleLimits;
  /** What is counted, made of them. */
  readonly meters: MetersByOrigin;
}

/** What is there about a request at a time. */
export interface Reading {
  readonly rules: ThrottleRules;
  /** Under which keys. */
  readonly of: ThrottleKeys;
  /** What is under them. */
  readonly entries: ThrottleEntries;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The counts that hold for a request. */
export function metersFor(
  { rules: { limits, meters }, of: { user, origin }, entries, now }: Reading,
): readonly Meter[] {
  const { trusted, untrusted } = meters[origin.kind];
  if (origin.kind === "unknown") return untrusted;
  const at = loginAt(entries[AT.user], user, origin.network);
  return at !== undefined && isWithin(at, limits.trustMs, now)
    ? trusted
    : untrusted;
}

/**
 * What is left of a count: a full one drains in the window, at an even pace.
 * So no lock lasts longer, whatever came before.
 */
export function countOf(
  { rules: { limits: { windowMs } }, entries, now }: Reading,
  entry: ThrottleEntry | undefined,
  { at, of, limit }: Meter,
): number {
  if (entry === undefined || entry[of] === 0) return 0;
  const isOfUser = at === AT.pair || at === AT.sitePair;
  const clearedAt = isOfUser ? entries[AT.user]?.clearedAt : undefined;
  if (clearedAt !== undefined && entry.at <= clearedAt) return 0;
  if (!isWithin(entry.at, windowMs, now)) return 0;
  const drain = limit * Math.max(0, now - entry.at) / windowMs;
  return Math.max(0, Math.min(entry[of], limit) - drain);
}
