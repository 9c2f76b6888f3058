/**
 * Random numbers that are the same in every run.
 *
 * @module
 */

/** Gives whole numbers from 0 to below the argument (mulberry32). */
export function newRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One element of a list that is not empty. */
export function pick<T>(
  random: (below: number) => number,
  from: readonly T[],
): T {
  const picked = from[random(from.length)];
  if (picked === undefined) throw new RangeError("Cannot pick: empty list");
  return picked;
}
