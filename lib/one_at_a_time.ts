/**
 * Work that must not be done several times at once.
 *
 * @module
 */

/**
 * Makes a function that does work one at a time. All who ask while it is under
 * way share one more run behind it, so that each has one that began later.
 *
 * @param work What is to be done.
 */
export function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const run = () => {
    next = undefined;
    running = work().finally(() => running = undefined);
    return running;
  };
  return () => {
    // First: whoever hears that a run has ended may ask before the next begins.
    if (next !== undefined) return next;
    if (running === undefined) return run();
    return next = running.catch(() => {}).then(run);
  };
}
