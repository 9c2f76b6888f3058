/**
 * Signals: when to stop, when to read again what is on the disk, and when to
 * forget what was counted.
 *
 * @module
 */

/** Signals that are waited for, from the first moment on. */
export interface Signals {
  /** Resolves with the first signal to stop. */
  readonly stop: Promise<Deno.Signal>;
  /** Aborted by the second: whoever stops is to be quick about it. */
  readonly hurry: AbortSignal;
  /** Says what SIGHUP does; until then, and without it, it does nothing. */
  readonly onReload: (reload: () => void) => void;
  /** The same for SIGUSR2. */
  readonly onUnthrottle: (unthrottle: () => void) => void;
}

/**
 * Takes over the signals of the process. None of them ends it any more: one
 * that comes while it starts is heeded once it has.
 */
export function takeSignals(): Signals {
  const { promise: stop, resolve } = Promise.withResolvers<Deno.Signal>();
  const hurry = new AbortController();
  let stops = 0;
  const onStop = (signal: Deno.Signal) => {
    resolve(signal);
    if (++stops > 1) hurry.abort();
  };
  let reload = () => {};
  let unthrottle = () => {};
  listen("SIGINT", onStop);
  // What follows, no program on Windows can be sent.
  if (Deno.build.os !== "windows") {
    listen("SIGTERM", onStop);
    listen("SIGHUP", () => reload());
    listen("SIGUSR2", () => unthrottle());
  }
  return {
    stop,
    hurry: hurry.signal,
    onReload: (next) => reload = next,
    onUnthrottle: (next) => unthrottle = next,
  };
}

function listen(
  signal: Deno.Signal,
  act: (signal: Deno.Signal) => void,
): void {
  Deno.addSignalListener(signal, () => act(signal));
}
