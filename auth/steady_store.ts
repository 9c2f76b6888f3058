/**
 * A throttle's store that is always there.
 *
 * @module
 */

import { newSecret } from "./keyed_hash.ts";
import {
  newMemoryThrottleStore,
  type ThrottleStore,
} from "./throttle_store.ts";

/**
 * How long a store that has failed is left alone, in milliseconds: each
 * asking would make a client wait for the time limit.
 */
const REST_MS = 5000;

/** The most entries kept meanwhile: an outage is short. */
const MAX_SPARE_ENTRIES = 16_384;

/**
 * Stands before a store that may fail or be slow. Whatever it does, every
 * member answers in time and never throws: while it fails, what would go into
 * it is kept in memory.
 */
export function newSteadyStore(
  store: ThrottleStore,
  timeoutMs: number,
  now: () => number,
): Required<ThrottleStore> {
  const spare = newMemoryThrottleStore({ maxEntries: MAX_SPARE_ENTRIES });
  const ownSecret = newSecret();
  let failedAt = -Infinity;

  /** Takes the store's answer, or the spare's instead. */
  function attempt<T>(
    ask: (store: ThrottleStore) => T | Promise<T>,
    instead: () => T | Promise<T>,
  ): T | Promise<T> {
    if (Math.abs(now() - failedAt) < REST_MS) return instead();
    const failed = () => {
      failedAt = now();
      return instead();
    };
    try {
      const answer = ask(store);
      return answer instanceof Promise
        ? inTime(answer, timeoutMs).catch(failed)
        : answer;
    } catch {
      return failed();
    }
  }

  return {
    read: (keys) =>
      attempt((store) => store.read(keys), () => spare.read(keys)),
    update: (keys, change) =>
      attempt(
        (store) => store.update(keys, change),
        () => spare.update(keys, change),
      ),
    secret: () =>
      attempt((store) => store.secret?.() ?? ownSecret, () => ownSecret),
  };
}

/** Rejects if something takes too long. */
function inTime<T>(work: Promise<T>, limitMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("too late")), limitMs);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
