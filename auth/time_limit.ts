/**
 * One time limit for many calls, kept with one timer.
 *
 * @module
 */

/** A limit that calls are put under one by one. */
export interface TimeLimit {
  /**
   * Puts a call under the limit.
   *
   * @param onOver Called once when the time is over.
   * @returns What takes the call off again.
   */
  readonly start: (onOver: () => void) => () => void;
}

/** A call under the limit. */
interface Call {
  readonly dueAt: number;
  /** Until the call ends. */
  onOver: (() => void) | undefined;
}

/**
 * Makes a limit. All calls have the same time, so that whose time is over first
 * is the one that began first: a timer for that one is enough, and a busy
 * server sets one now and then, not one for each call.
 *
 * @param limitMs The time of each call, in milliseconds.
 */
export function newTimeLimit(limitMs: number): TimeLimit {
  /** Those under way, in the order in which they began. */
  const calls = new Set<Call>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function setTimer(dueAt: number, leftMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => strike(dueAt), leftMs);
  }

  function clearTimer(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  /** The timer for a call that was due then has struck; it may have ended since. */
  function strike(dueAt: number): void {
    // Timers may strike a moment before their time; this one's is over.
    const now = Math.max(performance.now(), dueAt);
    // Calls that begin meanwhile come last, and find the timer still set.
    for (const call of calls) {
      if (call.dueAt > now) return setTimer(call.dueAt, call.dueAt - now);
      calls.delete(call);
      call.onOver?.();
    }
    clearTimer();
  }

  return {
    start(onOver) {
      const call: Call = { dueAt: performance.now() + limitMs, onOver };
      calls.add(call);
      if (timer === undefined) setTimer(call.dueAt, limitMs);
      return () => {
        // Lets go of all that hangs on it, a password often among it: the set
        // may keep the call itself in its old tables for a while.
        call.onOver = undefined;
        calls.delete(call);
        if (calls.size === 0) clearTimer();
      };
    },
  };
}
