/**
 * Waiting for something, but not for ever and not for nobody.
 *
 * @module
 */

import type { TimeLimit } from "./time_limit.ts";

/** How a race has ended: a union on `kind`. */
export type Raced<T> =
  /** The work has ended in time. */
  | { readonly kind: "done"; readonly value: T }
  /** It has failed in time. */
  | { readonly kind: "broken"; readonly error: unknown }
  /** The time was over first. */
  | { readonly kind: "late" }
  /** The signal was aborted first: nobody waits any more. */
  | { readonly kind: "gone" };

/** What work is raced against. */
export interface RaceOptions {
  /**
   * The time of the work: in milliseconds, or a limit that many calls share.
   * Default: no limit.
   */
  readonly limit?: number | TimeLimit;
  /** Aborted when nobody waits any more. Default: never. */
  readonly signal?: AbortSignal | undefined;
}

const LATE = Object.freeze({ kind: "late" });
const GONE = Object.freeze({ kind: "gone" });

/**
 * Waits for work, for the end of its time or for a signal, whatever comes
 * first. What the others do later is nobody's business: it is not reported,
 * and neither timer nor listener stays behind.
 *
 * The work itself is not stopped: who can stop it does so on `late` and `gone`.
 *
 * @param work Begins the work. Not called if the signal is aborted already.
 * @returns How it has ended. Never rejects.
 */
export function race<T>(
  work: () => T | PromiseLike<T>,
  { limit, signal }: RaceOptions,
): Promise<Raced<T>> {
  if (signal?.aborted) return Promise.resolve(GONE);
  return new Promise((resolve) => {
    let isOpen = true;
    let isListening = false;
    const settle = (raced: Raced<T>) => {
      if (!isOpen) return;
      isOpen = false;
      takeOff();
      if (isListening) signal?.removeEventListener("abort", onAbort);
      resolve(raced);
    };
    const onAbort = () => settle(GONE);
    const takeOff = put(limit, () => settle(LATE));
    begun(work).then(
      (value) => settle({ kind: "done", value }),
      (error) => settle({ kind: "broken", error }),
    );
    if (signal === undefined) return;
    // Listening costs more than much work, and many a work is done by now.
    NOW.then(() => {
      if (!isOpen) return;
      // The work may be what has aborted it: then no event comes any more.
      if (signal.aborted) return onAbort();
      isListening = true;
      signal.addEventListener("abort", onAbort, { once: true });
    });
  });
}

const NOW = Promise.resolve();

/** Begins work; what it throws is a rejection. */
function begun<T>(work: () => T | PromiseLike<T>): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Puts something under a limit; returns what takes it off again. */
function put(
  limit: RaceOptions["limit"],
  onOver: () => void,
): () => void {
  if (limit === undefined) return () => {};
  if (typeof limit === "object") return limit.start(onOver);
  const timer = setTimeout(onOver, limit);
  return () => clearTimeout(timer);
}

/** Whether a signal was aborted for want of time, as `AbortSignal.timeout()` is. */
export function isTimedOut(signal: AbortSignal | null | undefined): boolean {
  const reason: unknown = signal?.reason;
  return reason instanceof Error && reason.name === "TimeoutError";
}

/** Waits until the time is over or the signal is aborted. */
export async function pause(
  milliseconds: number,
  signal?: AbortSignal,
): Promise<void> {
  await race(never, { limit: milliseconds, signal });
}

function never(): Promise<never> {
  return new Promise(() => {});
}
