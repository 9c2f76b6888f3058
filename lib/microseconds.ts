/**
 * Times that are measured.
 *
 * @module
 */

/**
 * Rounds to the microsecond: what is behind that is no measurement.
 *
 * @param milliseconds A time, in milliseconds.
 */
export function wholeMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
