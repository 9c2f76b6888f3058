/**
 * Time limits that strike when a test says so, not when a clock does.
 *
 * @module
 */

/** The timers that are set while this is in place. */
export interface TimerSpy extends Disposable {
  /** The delay of each, in order. */
  readonly delays: () => readonly (number | undefined)[];
  /** Lets the timer with this delay strike now; there must be exactly one. */
  readonly strike: (delay: number) => void;
}

/** Watches `setTimeout` until disposed; timers run as ever otherwise. */
export function spyOnTimers(): TimerSpy {
  const original = globalThis.setTimeout;
  const timers: {
    readonly callback: () => void;
    readonly delay?: number | undefined;
    readonly id: ReturnType<typeof setTimeout>;
  }[] = [];
  Object.assign(globalThis, {
    setTimeout: (callback: () => void, delay?: number) => {
      const id = original(callback, delay);
      timers.push({ callback, delay, id });
      return id;
    },
  });
  return {
    delays: () => timers.map((timer) => timer.delay),
    strike: (delay) => {
      const [timer, ...more] = timers.filter((timer) => timer.delay === delay);
      if (timer === undefined || more.length > 0) {
        throw new Error(
          `Cannot strike: ${timers.length} timers, not one of ${delay} ms`,
        );
      }
      clearTimeout(timer.id);
      timer.callback();
    },
    [Symbol.dispose]: () => {
      Object.assign(globalThis, { setTimeout: original });
    },
  };
}
