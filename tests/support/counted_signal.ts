/**
 * An abort signal that tells who still listens to it.
 *
 * @module
 */

/** A controller whose signal counts the listeners for `abort`. */
export interface CountedSignal {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  /** How many have ever been added. */
  readonly added: () => number;
  /** How many are listening now. */
  readonly listening: () => number;
}

/** Makes a signal that counts what `addEventListener` puts on it. */
export function newCountedSignal(): CountedSignal {
  const controller = new AbortController();
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  const listeners = new Set<unknown>();
  const once = new Set<unknown>();
  let added = 0;
  // The engine takes listeners for one event off by itself.
  add("abort", () => once.forEach((listener) => listeners.delete(listener)));
  Object.defineProperty(signal, "addEventListener", {
    value: (...args: Parameters<typeof add>) => {
      const [, listener, options] = args;
      added++;
      listeners.add(listener);
      if (typeof options === "object" && options.once) once.add(listener);
      add(...args);
    },
  });
  Object.defineProperty(signal, "removeEventListener", {
    value: (...args: Parameters<typeof remove>) => {
      listeners.delete(args[1]);
      remove(...args);
    },
  });
  return {
    signal,
    abort: () => controller.abort(),
    added: () => added,
    listening: () => listeners.size,
  };
}
