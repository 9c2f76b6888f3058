/**
 * A clock that stands still until a test winds it on.
 *
 * @module
 */

/** Time, and the timers that depend on it. */
export interface Clock extends Disposable {
  /** Milliseconds since 1970, in this clock's time. */
  readonly now: () => number;
  /** In how many milliseconds the timers that are set will strike, in order. */
  readonly timers: () => readonly number[];
  /** In how many milliseconds the next timer will strike; 0 if none is set. */
  readonly toNext: () => number;
  /** Resolves as soon as exactly so many timers are set. */
  readonly hasTimers: (count: number) => Promise<void>;
  /** Moves on: timers that are due strike, each at its own time. */
  readonly wind: (ms: number) => void;
}

/** When the clock begins: any time will do. */
const START = Date.UTC(2026, 0, 1);

/**
 * Puts a clock in place of `setTimeout`, `clearTimeout` and `performance.now`
 * until disposed.
 */
export function newClock(): Clock {
  const { setTimeout, clearTimeout } = globalThis;
  const timers = new Map<number, { strike: () => void; at: number }>();
  const watchers = new Set<() => void>();
  let time = START;
  let ids = 0;
  /** The timer that strikes next: of those at one time the first that was set. */
  const first = () => {
    let next: { id: number; at: number; strike: () => void } | undefined;
    for (const [id, { at, strike }] of timers) {
      if (next === undefined || at < next.at) next = { id, at, strike };
    }
    return next;
  };
  const changed = () => watchers.forEach((look) => look());
  Object.assign(globalThis, {
    setTimeout: (strike: () => void, ms = 0) => {
      timers.set(++ids, { strike, at: time + ms });
      changed();
      return ids;
    },
    clearTimeout: (id?: number) => {
      if (id !== undefined && timers.delete(id)) changed();
    },
  });
  const performanceNow = performance.now;
  performance.now = () => time - START;
  return {
    now: () => time,
    timers: () =>
      [...timers.values()].map(({ at }) => at - time).sort((a, b) => a - b),
    hasTimers: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (timers.size !== count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    wind: (ms) => {
      const end = time + ms;
      for (;;) {
        const next = first();
        if (next === undefined || next.at > end) break;
        time = next.at;
        timers.delete(next.id);
        next.strike();
        changed();
      }
      time = end;
    },
    toNext: () => (first()?.at ?? time) - time,
    [Symbol.dispose]: () => {
      Object.assign(globalThis, { setTimeout, clearTimeout });
      performance.now = performanceNow;
    },
  };
}

/** Winds a clock on, one timer at a time, until the work is done. */
export async function workedOff<T>(
  clock: Clock,
  work: Promise<T>,
): Promise<T> {
  let isDone = false;
  const noted = work.finally(() => isDone = true);
  for (;;) {
    await turn();
    if (isDone) return await noted;
    clock.wind(clock.toNext());
  }
}

/**
 * A turn of the event loop, which takes none of the clock's time: for what
 * hashes, or hands on what has been decided.
 */
function turn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
