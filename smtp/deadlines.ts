/**
 * Time limits for thousands of connections with one timer: it ticks, and looks
 * at each limit. A timer per read would cost more than the read.
 *
 * @module
 */

/** The time limit of one connection. */
export interface Deadline {
  /** Begins anew: it expires if this is not called again within the time. */
  renew(milliseconds: number): void;
  /** Stops the clock. */
  pause(): void;
  /** Starts the clock again with the time that was left. */
  resume(): void;
  /** Ends it for good. */
  stop(): void;
}

/** Keeps the time limits of all connections of a listener. */
export interface Deadlines {
  /** Begins to watch over a connection; the clock starts with `renew`. */
  watch(onExpire: () => void): Deadline;
}

/**
 * Makes a keeper of deadlines. Its timer runs only while something is watched.
 *
 * @param tickMs How often to look, in milliseconds: no deadline expires early,
 * and none more than two ticks late.
 */
export function newDeadlines(tickMs: number): Deadlines {
  const watched = new Set<{ dueAt: number; onExpire: () => void }>();
  let ticks = 0;
  let timer: ReturnType<typeof setInterval> | undefined;

  function tick(): void {
    ticks++;
    for (const entry of watched) {
      if (entry.dueAt > ticks) continue;
      entry.dueAt = Infinity;
      entry.onExpire();
    }
  }

  return {
    watch(onExpire) {
      const entry = { dueAt: Infinity, onExpire };
      let left = Infinity;
      watched.add(entry);
      timer ??= setInterval(tick, tickMs);
      return {
        renew(milliseconds) {
          // The tick under way may be almost over: do not count it.
          entry.dueAt = ticks + 1 + Math.ceil(milliseconds / tickMs);
        },
        pause() {
          left = entry.dueAt - ticks;
          entry.dueAt = Infinity;
        },
        resume() {
          entry.dueAt = ticks + left;
        },
        stop() {
          watched.delete(entry);
          if (watched.size > 0) return;
          clearInterval(timer);
          timer = undefined;
        },
      };
    },
  };
}
