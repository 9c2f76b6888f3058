/**
 * The generic cell rate algorithm (ITU-T I.371): a limit that is one time per
 * key, and forgives at an even pace.
 *
 * @module
 */

/** How many units fit, and in which time a full count drains. */
export interface Rate {
  /** Units that fit at once; a whole number from 1. */
  readonly most: number;
  /** Milliseconds. */
  readonly windowMs: number;
}

/**
 * The parts of a millisecond that times are counted in. Times of this century
 * are exact in them, and so are their sums: with fractions that are rounded now
 * up and now down, one more or one less than the limit would fit.
 */
const TICKS_PER_MS = 2_048;

/** What one unit takes: milliseconds, rounded down to ticks. */
function unitMs({ most, windowMs }: Rate): number {
  return Math.max(1, Math.floor(windowMs * TICKS_PER_MS / most)) / TICKS_PER_MS;
}

/** When what is counted will have drained; never more than a window ahead. */
function drainedAt(rate: Rate, until: number | undefined, now: number): number {
  // A clock that was set back must not keep anybody out for longer than that.
  return Math.min(Math.max(until ?? now, now), now + rate.windowMs);
}

/**
 * How long to wait until so many units fit.
 *
 * @param rate The limit.
 * @param until When all that is counted will have drained, in milliseconds
 * since 1970; `undefined` where nothing is.
 * @param now Milliseconds since 1970.
 * @param units How many. Of more than `most`, those beyond it: they fit once
 * the others have been counted and have drained.
 * @returns Milliseconds; 0 if they fit now.
 */
export function waitFor(
  rate: Rate,
  until: number | undefined,
  now: number,
  units: number,
): number {
  const after = drainedAt(rate, until, now) + units * unitMs(rate);
  return Math.max(0, after - rate.windowMs - now);
}

/** When all will have drained once so many units are counted too. */
export function afterCharge(
  rate: Rate,
  until: number | undefined,
  now: number,
  units: number,
): number {
  return drainedAt(rate, until, now) + units * unitMs(rate);
}

/**
 * The same once units are given back that were counted a while ago. What may
 * have drained since then is not given back again: it would be a gift.
 *
 * @param chargedAt When they were counted, in milliseconds since 1970.
 */
export function afterRefund(
  rate: Rate,
  until: number | undefined,
  now: number,
  units: number,
  chargedAt: number,
): number {
  const left = units * unitMs(rate) - Math.max(0, now - chargedAt);
  return Math.max(now, drainedAt(rate, until, now) - Math.max(0, left));
}
