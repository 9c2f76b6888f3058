/**
 * A store in the memory of this process.
 *
 * @module
 */

import { checkOptions, integer, type Rules } from "../../lib/options.ts";
import { Lru } from "../../lib/lru.ts";
import type { Store, StoreShare } from "./store.ts";

/** The most values if nothing else is said: those of as many users. */
const DEFAULT_MAX_ENTRIES = 262_144;

/**
 * The most octets if nothing else is said: 64 MiB. That is where 120,000 users
 * have logged in, or of 45,000 that, two limits and what their logins said
 * (bench/state/main.ts).
 */
const DEFAULT_MAX_OCTETS = 67_108_864;

/** What a value takes apart from its key and what is in it, in octets. */
const ENTRY_OCTETS = 180;

/** What a list or an object takes, in octets, and what each member takes. */
const OBJECT_OCTETS = 24;
const MEMBER_OCTETS = 12;

/** How many parts of a full store each share has, at least. */
const PARTS: Readonly<Record<StoreShare, number>> = {
  "login": 10,
  "limit": 4,
  "right": 3,
  "secret": 1,
  "guess-1": 1,
  "guess-3": 1,
  "guess-8": 1,
  "shared-1": 1,
  "shared-3": 1,
  "shared-8": 1,
};

/**
 * How much {@linkcode newMemoryStore} holds.
 *
 * @category What is remembered
 */
export interface MemoryStoreOptions {
  /** The most values. Default: 262144. */
  readonly maxEntries?: number;
  /** The most octets that they take, as estimated. Default: 67108864. */
  readonly maxOctets?: number;
}

/**
 * A store in memory: it can be looked through.
 *
 * @category What is remembered
 */
export interface MemoryStore extends Store {
  /** The keys of all values, some of which may have expired. */
  readonly keys: () => Iterable<string>;
}

const RULES: Rules<MemoryStoreOptions> = {
  maxEntries: integer(1),
  maxOctets: integer(1),
};

const SHARES: readonly number[] = Object.values(PARTS);

const INDEX_OF: ReadonlyMap<string, number> = new Map(
  Object.keys(PARTS).map((share, i) => [share, i]),
);

/** Where a share goes that is none: with what anybody can make. */
const WEAKEST = Object.keys(PARTS).indexOf("shared-1");

/** A value, and until when it is kept, by a clock that nobody sets. */
interface Held {
  readonly value: unknown;
  readonly until: number;
  readonly share: StoreShare;
}

/**
 * Makes a store in the memory of this process.
 *
 * A user who logs in takes one value, a wrong guess up to five: the user, the
 * network, and the two together; for IPv6 the /48 around the network as well.
 * When there are too many, those go first that have not been used for longest,
 * of the {@linkcode StoreShare} that has most for its part: logins have ten parts
 * of 24, limits four, rights three, guesses one each, apart by how many have been
 * counted, and by whether they came through networks that have a count. So
 * made-up names push out each other, and neither users nor the counts of those
 * who guess one.
 *
 * @param options Limits.
 * @returns A store that answers at once. It begins empty, and ends with the
 * process.
 * @throws {TypeError} If an option is unknown.
 * @throws {RangeError} If a limit is not a whole number from 1.
 *
 * @example A small one
 * ```ts
 * import {
 *   newMemoryStore,
 *   newStaticAuthProvider,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, {
 *   store: newMemoryStore({ maxEntries: 1000 }),
 * });
 * console.assert(typeof provider === "function");
 * ```
 * @category What is remembered
 */
export function newMemoryStore(
  options: MemoryStoreOptions = {},
): MemoryStore {
  checkOptions("create memory store", options, RULES);
  const { maxEntries = DEFAULT_MAX_ENTRIES, maxOctets = DEFAULT_MAX_OCTETS } =
    options;
  const held = new Lru<Held>({
    maxEntries,
    maxWeight: maxOctets,
    weigh: (key, { value }) => ENTRY_OCTETS + 2 * key.length + octetsOf(value),
    shares: SHARES,
    kindOf: ({ share }) => INDEX_OF.get(share) ?? WEAKEST,
  });

  function valueOf(key: string): unknown {
    const found = held.get(key);
    if (found === undefined) return undefined;
    if (found.until > performance.now()) return found.value;
    held.delete(key);
    return undefined;
  }

  return {
    read: (keys) => keys.map(valueOf),
    keys: () => held.keys(),
    update: (keys, change) => {
      for (const write of change(keys.map(valueOf))) {
        const { key, value, keepMs, share } = write;
        if (value === undefined) held.delete(key);
        else held.set(key, { value, until: performance.now() + keepMs, share });
      }
    },
  };
}

/** About what a value takes; a character of a text may take two octets. */
function octetsOf(value: unknown): number {
  switch (typeof value) {
    case "string":
      return 2 * value.length;
    case "object": {
      const members = Object.values(value ?? {});
      return members.reduce<number>(
        (sum, member) => sum + MEMBER_OCTETS + octetsOf(member),
        OBJECT_OCTETS,
      );
    }
    default:
      return 0;
  }
}
