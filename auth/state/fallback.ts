/**
 * A store that is always there.
 *
 * @module
 */

import { race } from "../../lib/race.ts";
import { newMemoryStore } from "./memory_store.ts";
import type { Store, StoreValues } from "./store.ts";

/**
 * How long a store that has failed is left alone, in milliseconds: each
 * asking would make a client wait for the time limit.
 */
const REST_MS = 5000;

/** The most values kept meanwhile: an outage is short. */
const MAX_SPARE_ENTRIES = 16_384;

/** The stores that are steady already. */
const steady = new WeakSet<Store>();

/**
 * Stands before a store that may fail, be slow, or talk nonsense. Whatever it
 * does, every member answers in time and never throws: while it fails, what
 * would go into it is kept in memory. One that is steady stays as it is, so that
 * several who share a store notice an outage together.
 */
export function newSteadyStore(store: Store, timeoutMs: number): Store {
  if (steady.has(store)) return store;
  const spare = newMemoryStore({ maxEntries: MAX_SPARE_ENTRIES });
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

  const always: Store = {
    read: (keys) =>
      attempt(
        () => store.read(keys),
        (answer) => areValues(answer, keys.length),
        () => spare.read(keys),
      ),
    update: (keys, change) => {
      // One that never asks what to write has written nothing.
      let asked = false;
      return attempt(
        () =>
          store.update(keys, (values) => {
            asked = true;
            return change(values);
          }),
        (_answer): _answer is void => asked,
        () => spare.update(keys, change),
      );
    },
  };
  steady.add(always);
  return always;
}

function areValues(answer: unknown, count: number): answer is StoreValues {
  return Array.isArray(answer) && answer.length === count;
}

/** Whether something can be waited for: clients of databases have their own. */
function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer &&
    typeof answer.then === "function";
}
