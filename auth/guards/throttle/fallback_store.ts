/**
 * A throttle's store that is always there.
 *
 * @module
 */

import { KEY_OCTETS, newSecret } from "../../../lib/hmac.ts";
import { race } from "../../../lib/race.ts";
import { newMemoryThrottleStore } from "./memory_store.ts";
import {
  isThrottleEntry,
  type ThrottleEntries,
  type ThrottleStore,
} from "./store.ts";

/**
 * How long a store that has failed is left alone, in milliseconds: each
 * asking would make a client wait for the time limit.
 */
const REST_MS = 5000;

/** The most entries kept meanwhile: an outage is short. */
const MAX_SPARE_ENTRIES = 16_384;

/**
 * Stands before a store that may fail, be slow, or talk nonsense. Whatever it
 * does, every member answers in time and never throws: while it fails, what
 * would go into it is kept in memory.
 */
export function newSteadyStore(
  store: ThrottleStore,
  timeoutMs: number,
): Required<ThrottleStore> {
  const spare = newMemoryThrottleStore({ maxEntries: MAX_SPARE_ENTRIES });
  const ownSecret = newSecret();
  let failedAt: number | undefined;

  /** Takes the store's answer if it makes sense, or the spare's instead. */
  function attempt<T>(
    ask: () => unknown,
    makesSense: (answer: unknown) => answer is T,
    instead: () => T | Promise<T>,
  ): T | Promise<T> {
    if (failedAt !== undefined && performance.now() - failedAt < REST_MS) {
      return instead();
    }
    const failed = () => {
      failedAt = performance.now();
      return instead();
    };
    const checked = (answer: unknown) => makesSense(answer) ? answer : failed();
    try {
      const answer = ask();
      return isThenable(answer)
        ? race(() => answer, { limit: timeoutMs }).then((raced) =>
          raced.kind === "done" ? checked(raced.value) : failed()
        )
        : checked(answer);
    } catch {
      return failed();
    }
  }

  return {
    read: (keys) =>
      attempt(
        () => store.read(keys),
        (answer) => areEntries(answer, keys.length),
        () => spare.read(keys),
      ),
    update: (keys, change) =>
      attempt(
        () => store.update(keys, change),
        isAnything,
        () => spare.update(keys, change),
      ),
    secret: () =>
      attempt(() => store.secret?.() ?? ownSecret, isSecret, () => ownSecret),
  };
}

function areEntries(answer: unknown, count: number): answer is ThrottleEntries {
  return Array.isArray(answer) && answer.length === count &&
    answer.every((entry) => entry === undefined || isThrottleEntry(entry));
}

function isAnything(_answer: unknown): _answer is void {
  return true;
}

function isSecret(answer: unknown): answer is Uint8Array {
  return answer instanceof Uint8Array && answer.length >= KEY_OCTETS;
}

/** Whether something can be waited for: clients of databases have their own. */
function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer &&
    typeof answer.then === "function";
}
