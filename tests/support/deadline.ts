/**
 * A guard against tests that would wait for ever.
 *
 * @module
 */

/**
 * Waits for an event that must come; fails the test if it does not. The time
 * is only a limit: nothing that passes takes this long.
 */
export async function mustHappen<T>(
  event: Promise<T>,
  what: string,
  limitMs = 10_000,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`This has not happened: ${what}`)),
    limitMs,
  );
  try {
    return await Promise.race([event, promise]);
  } finally {
    clearTimeout(timer);
  }
}
