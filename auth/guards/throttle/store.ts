/**
 * Where a throttle keeps its counts.
 *
 * @module
 */

import { checkedCount } from "../../../lib/options.ts";
import { newLru } from "../../../lib/lru.ts";

/** The most entries if nothing else is said: as many users who log in. */
const DEFAULT_MAX_ENTRIES = 65_536;

/**
 * The most octets if nothing else is said: 32 MiB, which so many users with
 * common names do not fill. It is there for those with very long ones.
 */
const DEFAULT_MAX_OCTETS = 33_554_432;

/** What an entry takes apart from its texts and lists, in octets; measured. */
const ENTRY_OCTETS = 250;

/** A network that a user has logged in from. */
export interface KnownNetwork {
  /** The network, such as `192.0.2.0/24`. */
  readonly network: string;
  /** When a login was accepted there, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * What is known of a user, of a network, or of a user in a network. A plain
 * value, so that any database can hold it. No password can be told from it.
 */
export interface ThrottleEntry {
  /** Wrong guesses, as of `at`; they drain from then on. */
  readonly count: number;
  /** When `count` was right, in milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds for which to keep the entry unless it is written again. */
  readonly keepMs: number;
  /** Of a user: keyed hashes, of 20 bits, of guesses; the latest is the last. */
  readonly guesses: readonly number[];
  /** Of a user: where logins were accepted; the latest is the last. */
  readonly networks: readonly KnownNetwork[];
}

/** What is there under some keys, in their order; `undefined` for nothing. */
export type ThrottleEntries = readonly (ThrottleEntry | undefined)[];

/**
 * Where a throttle keeps its counts: in memory, or where several processes
 * share them.
 *
 * Members may answer at once or later. What one throws is no harm: the throttle
 * then counts in its own memory for a while.
 *
 * @example A store that others can look into
 * ```ts
 * import {
 *   newMemoryThrottleStore,
 *   newStaticAuthProvider,
 *   type ThrottleStore,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const memory = newMemoryThrottleStore();
 * const store: ThrottleStore = {
 *   read: memory.read,
 *   update: (keys, change) => {
 *     console.log("changed:", keys);
 *     return memory.update(keys, change);
 *   },
 * };
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { store });
 * console.assert(typeof provider === "function");
 * ```
 */
export interface ThrottleStore {
  /** Reads what is there under some keys, at most three. */
  read(
    keys: readonly string[],
  ): ThrottleEntries | Promise<ThrottleEntries>;
  /**
   * Reads and writes as one step that nobody comes between.
   *
   * @param keys At most three.
   * @param change Given what is there, says what is to be there. An entry
   * that comes back as the same object need not be written; `undefined` takes
   * one out. May be called again if another writer was faster.
   */
  update(
    keys: readonly string[],
    change: (entries: ThrottleEntries) => ThrottleEntries,
  ): void | Promise<void>;
  /**
   * The key of the hashes, at least 32 octets, for a store that several
   * processes share. Default: each process makes its own, in memory.
   */
  secret?(): Uint8Array | Promise<Uint8Array>;
}

/** How much {@linkcode newMemoryThrottleStore} holds. */
export interface MemoryThrottleStoreOptions {
  /** The most entries. Default: 65536. */
  readonly maxEntries?: number;
  /** The most octets that they take, as estimated. Default: 33554432. */
  readonly maxOctets?: number;
}

/**
 * Makes a store in the memory of this process.
 *
 * A user who logs in takes one entry, a wrong guess up to three: the user, the
 * network, and the two together. When there are too many, those go first that
 * have not been used for longest.
 *
 * @param options Limits.
 * @returns A store that answers at once. It begins empty, and ends with the
 * process.
 * @throws {RangeError} If a limit is no whole number from 1.
 *
 * @example A small one
 * ```ts
 * import {
 *   newMemoryThrottleStore,
 *   newStaticAuthProvider,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, {
 *   store: newMemoryThrottleStore({ maxEntries: 1000 }),
 * });
 * console.assert(typeof provider === "function");
 * ```
 */
export function newMemoryThrottleStore(
  options: MemoryThrottleStoreOptions = {},
): ThrottleStore {
  const { maxEntries, maxOctets } = checked(options);
  const entries = newLru<ThrottleEntry>({
    maxEntries,
    maxWeight: maxOctets,
    weigh: octetsOf,
  });
  const read = (keys: readonly string[]) => keys.map((key) => entries.get(key));
  return {
    read,
    update: (keys, change) => {
      const before = read(keys);
      const after = change(before);
      keys.forEach((key, i) => {
        const entry = after[i];
        if (entry === before[i]) return;
        if (entry === undefined) entries.delete(key);
        else entries.set(key, entry);
      });
    },
  };
}

function checked(
  options: MemoryThrottleStoreOptions,
): Required<MemoryThrottleStoreOptions> {
  const { maxEntries = DEFAULT_MAX_ENTRIES, maxOctets = DEFAULT_MAX_OCTETS } =
    options;
  const action = "Cannot create throttle store";
  return {
    maxEntries: checkedCount(action, "maxEntries", maxEntries, 1),
    maxOctets: checkedCount(action, "maxOctets", maxOctets, 1),
  };
}

/** About what an entry takes; a character of a text may take two octets. */
function octetsOf(key: string, entry: ThrottleEntry): number {
  const networks = entry.networks.reduce(
    (sum, { network }) => sum + 80 + 2 * network.length,
    0,
  );
  return ENTRY_OCTETS + 2 * key.length + 8 * entry.guesses.length + networks;
}

/** Whether something from outside is an entry, with all that belongs to one. */
export function isThrottleEntry(value: unknown): value is ThrottleEntry {
  return isObject(value) &&
    isNumber(value.count) && isNumber(value.at) && isNumber(value.keepMs) &&
    Array.isArray(value.guesses) && value.guesses.every(isNumber) &&
    Array.isArray(value.networks) && value.networks.every(isKnownNetwork);
}

function isKnownNetwork(value: unknown): value is KnownNetwork {
  return isObject(value) && typeof value.network === "string" &&
    isNumber(value.at);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
