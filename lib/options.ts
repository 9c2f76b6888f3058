/**
 * Settings that are numbers, checked where something is made from them.
 *
 * @module
 */

/** The longest delay that timers can take, in milliseconds: 2^31 - 1. */
const MAX_TIMER_MS = 2_147_483_647;

/** A whole number of things. */
export function checkedCount(
  action: string,
  name: string,
  value: number,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  const rule = max === Number.MAX_SAFE_INTEGER
    ? `a whole number >= ${min}`
    : `a whole number from ${min} to ${max}`;
  throw new RangeError(`${action}: ${name} must be ${rule}: got ${value}`);
}

/** A time in milliseconds that may be none at all. */
export function checkedMs(
  action: string,
  name: string,
  value: number,
  max: number,
): number {
  if (value >= 0 && value <= max) return value;
  const rule = value < 0 ? ">= 0" : `>= 0 and <= ${max}`;
  throw new RangeError(`${action}: ${name} must be ${rule}: got ${value}`);
}

/** A time in milliseconds that something takes or lasts. */
export function checkedLimitMs(
  action: string,
  name: string,
  value: number,
  max: number = MAX_TIMER_MS,
): number {
  if (value > 0 && value <= max) return value;
  throw new RangeError(
    `${action}: ${name} must be > 0 and <= ${max}: got ${value}`,
  );
}
