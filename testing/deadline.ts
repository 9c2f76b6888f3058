/**
 * A guard against tests that would wait for ever.
 *
 * @module
 */

import { race } from "../lib/race.ts";

/** How long anything may take that a test waits for, in milliseconds. */
export const LIMIT_MS = 10_000;

/**
 * Waits for an event that must come; fails the test if it does not. The time
 * is only a limit: nothing that passes takes this long.
 */
export async function mustHappen<T>(
  event: Promise<T>,
  what: string,
  limitMs: number = LIMIT_MS,
): Promise<T> {
  const raced = await race(() => event, { limit: limitMs });
  if (raced.kind === "done") return raced.value;
  if (raced.kind === "broken") throw raced.error;
  throw new Error(`This has not happened: ${what}`);
}
