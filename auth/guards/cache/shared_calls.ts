/**
 * One call for all who ask the same at the same time.
 *
 * @module
 */

/** Runs a call once for everybody who wants its outcome meanwhile. */
export interface SharedCalls<T> {
  /**
   * Joins the call under way under a key, or begins one.
   *
   * @param key What makes two calls the same.
   * @param begin Makes the call. Its signal aborts when nobody waits for the
   * outcome any more. Must not reject.
   * @returns The outcome, and how to say that one no longer waits for it:
   * everybody must, once.
   */
  join(
    key: string,
    begin: (signal: AbortSignal) => Promise<T>,
  ): { readonly outcome: Promise<T>; readonly leave: () => void };
  /** How many calls are under way. */
  readonly size: () => number;
}

/** Starts with no calls. */
export function newSharedCalls<T>(): SharedCalls<T> {
  const calls = new Map<string, { outcome: Promise<T>; join(): () => void }>();

  function newCall(key: string, begin: (signal: AbortSignal) => Promise<T>) {
    const controller = new AbortController();
    let waiting = 0;
    let ended = false;
    const end = () => {
      ended = true;
      if (calls.get(key) === call) calls.delete(key);
    };
    const outcome = begin(controller.signal).finally(end);
    const call = {
      outcome,
      join: () => {
        waiting++;
        return () => {
          waiting--;
          if (waiting > 0 || ended) return;
          // Whoever comes now must not join a call that is being given up.
          end();
          controller.abort();
        };
      },
    };
    return call;
  }

  return {
    join: (key, begin) => {
      const call = calls.get(key) ?? newCall(key, begin);
      calls.set(key, call);
      return { outcome: call.outcome, leave: call.join() };
    },
    size: () => calls.size,
  };
}
