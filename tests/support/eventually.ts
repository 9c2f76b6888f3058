/**
 * Waiting for what tells nobody that it has happened.
 *
 * @module
 */

/** How often to look, in milliseconds. */
const LOOK_MS = 10;

/** When to give up, in milliseconds: nothing that passes takes this long. */
const LIMIT_MS = 10_000;

/** Looks again and again until there is something to see, and returns it. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > end) throw new Error(`Never seen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
