/**
 * Clients that wait for their turn, for a while and no longer.
 *
 * @module
 */

/** First come, first served. */
export interface WaitingLine {
  /**
   * Waits at the end of the line.
   *
   * @param again Waits before all who have never been called: for one who was,
   * and could not use it.
   * @returns Whether one was called; not if the time was over or the signal
   * aborted before. Whoever resolves has left the line, timer and all.
   */
  wait(
    limitMs: number,
    signal: AbortSignal | undefined,
    again?: boolean,
  ): Promise<boolean>;
  /** Calls the first in the line; tells whether there was one. */
  next(): boolean;
  /** How many are waiting. */
  readonly size: () => number;
}

/**
 * Makes an empty line.
 *
 * Not by `race`: who is called must have left the line there and then, or a
 * signal that comes a moment later would lose the call.
 */
export function newWaitingLine(): WaitingLine {
  const front = new Set<() => void>();
  const waiting = new Set<() => void>();
  return {
    wait: (limitMs, signal, again = false) => {
      if (signal?.aborted) return Promise.resolve(false);
      const line = again ? front : waiting;
      return new Promise((resolve) => {
        const leave = (called: boolean) => {
          line.delete(onCall);
          clearTimeout(timer);
          signal?.removeEventListener("abort", onEnd);
          resolve(called);
        };
        const onCall = () => leave(true);
        const onEnd = () => leave(false);
        const timer = setTimeout(onEnd, limitMs);
        signal?.addEventListener("abort", onEnd, { once: true });
        line.add(onCall);
      });
    },
    next: () => {
      const [first] = front.size > 0 ? front : waiting;
      first?.();
      return first !== undefined;
    },
    size: () => front.size + waiting.size,
  };
}
