/**
 * A throttle's counts in the memory of this process.
 *
 * @module
 */

import { checkOptions, integer, type Rules } from "../../../lib/options.ts";
import { newLru } from "../../../lib/lru.ts";
import type { ThrottleEntry, ThrottleStore } from "./store.ts";

/** The most entries if nothing else is said: as many users who log in. */
const DEFAULT_MAX_ENTRIES = 65_536;

/**
 * The most octets if nothing else is said: 32 MiB, which so many users with
 * common names do not fill. It is there for those with very long ones.
 */
const DEFAULT_MAX_OCTETS = 33_554_432;

/** What an entry takes apart from its texts and lists, in octets; measured. */
const ENTRY_OCTETS = 250;

/**
 * How many guesses make an entry one of the next kind: to push out the count of
 * a guesser who has come far, one must guess as often for each of many names.
 */
const LEVELS = [3, 8] as const;

/**
 * How many parts of the store users who have logged in may keep for themselves,
 * beside one part for each kind of guesses.
 */
const LOGIN_PARTS = 6;

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
 * A user who logs in takes one entry, a wrong guess up to five: the user, the
 * network, and the two together; for IPv6 the /48 around the network as well.
 * When there are too many, those go first that have not been used for longest,
 * of the kind that has most for its share: users who have logged in have half
 * of the store; guesses a twelfth each, apart by how many have been counted, and
 * by whether they came through networks that have a count. So made-up names push
 * out each other, and neither users nor the counts of those who guess one.
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
  checkOptions("create throttle store", options, RULES);
  const { maxEntries = DEFAULT_MAX_ENTRIES, maxOctets = DEFAULT_MAX_OCTETS } =
    options;
  const entries = newLru<ThrottleEntry>({
    maxEntries,
    maxWeight: maxOctets,
    weigh: octetsOf,
    shares: SHARES,
    kindOf,
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

const RULES: Rules<MemoryThrottleStoreOptions> = {
  maxEntries: integer(1),
  maxOctets: integer(1),
};

/** The share of each kind: users, then guesses, and shared ones, by level. */
const SHARES: readonly number[] = [
  LOGIN_PARTS,
  ...new Array<number>(2 * (LEVELS.length + 1)).fill(1),
];

function kindOf({ networks, shared, count, home }: ThrottleEntry): number {
  if (networks.length > 0) return 0;
  const guesses = Math.max(count, home);
  const level = LEVELS.findLastIndex((least) => guesses >= least) + 1;
  return 1 + level + (shared ? LEVELS.length + 1 : 0);
}

/** About what an entry takes; a character of a text may take two octets. */
function octetsOf(key: string, entry: ThrottleEntry): number {
  const networks = entry.networks.reduce(
    (sum, { user, network }) => sum + 80 + 2 * (user.length + network.length),
    0,
  );
  const texts = 2 * (key.length + entry.typed.length);
  return ENTRY_OCTETS + texts + 8 * entry.guesses.length + networks;
}
