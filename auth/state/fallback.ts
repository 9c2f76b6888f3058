/**
 * A store that is always there.
 *
 * @module
 */

import { errorText } from "../../lib/error_text.ts";
import { harmless } from "../../lib/hook.ts";
import {
  aFunction,
  anObject,
  checkOptions,
  checkValue,
  limitMs,
  pauseMs,
  type Rules,
} from "../../lib/options.ts";
import { race, type Raced } from "../../lib/race.ts";
import type { StateAwayEvent, StateEvent } from "../events.ts";
import { newMemoryStore } from "./memory_store.ts";
import { type Store, STORE_TIMEOUT_MS, type StoreValues } from "./store.ts";

/** The most values kept meanwhile: an outage is short. */
const MAX_SPARE_ENTRIES = 65_536;

/** Under which key a store that has failed is tried: to write, not only to read. */
const PROBE = "s:probe";

/**
 * How {@linkcode withFallback} waits.
 *
 * @category What is remembered
 */
export interface FallbackOptions {
  /** Milliseconds that the store may take for each call. Default: 250. */
  readonly timeoutMs?: number;
  /** Milliseconds for which a store that has failed is left alone. Default: 5000. */
  readonly restMs?: number;
  /** Told when the store goes, once, and when it is back. */
  readonly onEvent?: (event: StateEvent) => void;
}

const RULES: Rules<FallbackOptions> = {
  timeoutMs: limitMs(),
  restMs: pauseMs(),
  onEvent: aFunction,
};

/** The fallbacks of stores, by store; those that need none are their own. */
const fallbacks = new WeakMap<Store, Store>();

/**
 * Stands before a store that may fail, be slow, or talk nonsense. Whatever it
 * does, every member answers in time and never throws: while it is away, what
 * would go into it is kept in the memory of this process, and every 5 s, while
 * there is something to do, one write tries whether it is back. Nobody waits for
 * that.
 *
 * One that has a fallback already stays as it is. So make one for all who share
 * a store: they notice an outage together, and it is told once.
 *
 * @param store The store.
 * @param options How long to wait for it, and whom to tell.
 * @returns A store that never fails.
 * @throws {TypeError} If the store is not an object, or an option is not valid.
 * @throws {RangeError} If a time is out of its range.
 *
 * @example One store for all, with its outages in the log
 * ```ts
 * import { newMemoryStore, newStaticAuthProvider, withFallback, withThrottle } from "@meowmail/smtpauth";
 *
 * const shared = newMemoryStore(); // newRedisStore() in production
 * const store = withFallback(shared, { onEvent: (event) => console.warn(event) });
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { store });
 * console.assert(typeof provider === "function");
 * ```
 * @category What is remembered
 */
export function withFallback(
  store: Store,
  options: FallbackOptions = {},
): Store {
  checkValue("create fallback", "store", anObject, store);
  checkOptions("create fallback", options, RULES);
  if (fallbacks.get(store) === store) return store;
  const fallback = new Fallback(store, options);
  const steady: Store = { read: fallback.read, update: fallback.update };
  fallbacks.set(steady, steady);
  fallbacks.set(store, steady);
  return steady;
}

/**
 * A store that never fails, the same one for all who share a store: what one of
 * them keeps during an outage, the others find.
 */
export function steadyStore(store: Store, timeoutMs: number): Store {
  return fallbacks.get(store) ?? withFallback(store, { timeoutMs });
}

/** An outage: what is kept meanwhile, since when it lasts, when to try again. */
interface Outage {
  readonly spare: Store;
  readonly since: number;
  triedAt: number;
}

/** What went wrong with a call. */
type Fault = Pick<StateAwayEvent, "reason" | "detail">;

class Fallback implements Store {
  readonly #store: Store;
  readonly #timeoutMs: number;
  readonly #restMs: number;
  readonly #tell: (event: StateEvent) => void;
  #outage: Outage | undefined;

  constructor(store: Store, options: FallbackOptions) {
    const { timeoutMs = STORE_TIMEOUT_MS, restMs = 5000, onEvent } = options;
    this.#store = store;
    this.#timeoutMs = timeoutMs;
    this.#restMs = restMs;
    this.#tell = harmless(onEvent);
  }

  readonly read: Store["read"] = (keys) =>
    this.#attempt(
      () => this.#store.read(keys),
      (answer) => areValues(answer, keys.length),
      (spare) => spare.read(keys),
    );

  readonly update: Store["update"] = (keys, change) => {
    const update = this.#newUpdate(keys, change);
    return this.#attempt(
      update.ask,
      (_answer): _answer is void => update.asked(),
      (spare) => spare.update(keys, change),
    );
  };

  /** An update; one that never asks what to write has written nothing. */
  #newUpdate(...[keys, change]: Parameters<Store["update"]>) {
    let asked = false;
    const ask = () =>
      this.#store.update(keys, (values) => {
        asked = true;
        return change(values);
      });
    return { ask, asked: () => asked };
  }

  /** Takes the store's answer if it makes sense, or the spare's instead. */
  #attempt<T>(
    ask: () => unknown,
    makesSense: (answer: unknown) => answer is T,
    instead: (spare: Store) => T | Promise<T>,
  ): T | Promise<T> {
    if (this.#outage !== undefined) {
      this.#tryAgain(this.#outage);
      return instead(this.#outage.spare);
    }
    const failed = (fault: Fault) => instead(this.#gone(fault).spare);
    const checked = (answer: unknown) =>
      makesSense(answer) ? answer : failed({ reason: "nonsense" });
    try {
      const answer = ask();
      if (!isThenable(answer)) return checked(answer);
      return race(() => answer, { limit: this.#timeoutMs }).then((raced) =>
        raced.kind === "done" ? checked(raced.value) : failed(faultOf(raced))
      );
    } catch (error) {
      return failed({ reason: "error", detail: errorText(error) });
    }
  }

  #gone(fault: Fault): Outage {
    if (this.#outage !== undefined) return this.#outage;
    const [spare, now] = [newSpare(), performance.now()];
    this.#outage = { spare, since: now, triedAt: now };
    this.#tell({ kind: "state", outcome: "away", ...fault });
    return this.#outage;
  }

  #tryAgain(outage: Outage): void {
    const now = performance.now();
    if (now - outage.triedAt < this.#restMs) return;
    outage.triedAt = now;
    const value = Date.now();
    const probe = this.#newUpdate([PROBE], () => [
      { key: PROBE, value, keepMs: 60_000, share: "secret" },
    ]);
    // The store is somebody's: it may answer with anything.
    void race<unknown>(probe.ask, { limit: this.#timeoutMs }).then((raced) => {
      if (raced.kind !== "done" || !probe.asked()) return;
      // Where they are not far apart, more than one may try it at a time.
      if (this.#outage !== outage) return;
      this.#outage = undefined;
      const milliseconds = Math.round(performance.now() - outage.since);
      this.#tell({ kind: "state", outcome: "back", milliseconds });
    });
  }
}

function newSpare(): Store {
  return newMemoryStore({ maxEntries: MAX_SPARE_ENTRIES });
}

function faultOf(raced: Raced<unknown>): Fault {
  return raced.kind === "broken"
    ? { reason: "error", detail: errorText(raced.error) }
    : { reason: "timeout" };
}

function areValues(answer: unknown, count: number): answer is StoreValues {
  return Array.isArray(answer) && answer.length === count;
}

/** Whether something can be waited for: clients of databases have their own. */
function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer &&
    typeof answer.then === "function";
}
