/**
 * What a throttle keeps in a store.
 *
 * @module
 */

import { isObject } from "../../results.ts";
import type { Store, StoreShare } from "../../state/store.ts";
import { newStoreView, type StoreView, type Values } from "../../state/view.ts";

/** A network that a user has logged in from. */
export interface KnownNetwork {
  /** The user, as typed. */
  readonly user: string;
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
  /** The same, for users who had logged in from the network lately. */
  readonly home: number;
  /** Failures that came so late that they may stand for a "no". */
  readonly late: number;
  /** When the counts were right, in milliseconds since 1970. */
  readonly at: number;
  /** Milliseconds for which to keep the entry unless it is written again. */
  readonly keepMs: number;
  /**
   * Whether all that is counted came through networks that have no count of
   * their own. Nothing limits how many such entries there may be: they must not
   * push out others.
   */
  readonly shared: boolean;
  /**
   * Of a user in a network: the name as typed in all guesses that are counted;
   * `""` if it was typed in several ways, or not at all.
   */
  readonly typed: string;
  /** Of a user: keyed hashes, of 20 bits, of guesses; the latest is the last. */
  readonly guesses: readonly number[];
  /**
   * Of a user: where logins were accepted; the latest is the last. Only who
   * knows a password can make such an entry.
   */
  readonly networks: readonly KnownNetwork[];
  /**
   * Of a user: when an operator has had all counts forgotten, in milliseconds
   * since 1970. What was counted in networks until then does not hold any more.
   */
  readonly clearedAt?: number;
}

/** What is there under some keys, in their order; `undefined` for nothing. */
export type ThrottleEntries = Values<ThrottleEntry>;

/** The entries in a store. */
export function throttleEntries(store: Store): StoreView<ThrottleEntry> {
  return newStoreView(store, {
    prefix: "t:",
    isValue: isThrottleEntry,
    keepMs: ({ keepMs }) => keepMs,
    share: shareOf,
  });
}

/**
 * To push out the count of a guesser who has come far, one must guess as often
 * for each of many names.
 */
function shareOf(
  { networks, shared, count, home }: ThrottleEntry,
): StoreShare {
  if (networks.length > 0) return "login";
  const guesses = Math.max(count, home);
  const least = guesses >= 8 ? 8 : guesses >= 3 ? 3 : 1;
  return shared ? `shared-${least}` : `guess-${least}`;
}

/** Whether something from outside is an entry, with all that belongs to one. */
export function isThrottleEntry(value: unknown): value is ThrottleEntry {
  return isObject(value) &&
    isNumber(value.count) && isNumber(value.home) && isNumber(value.late) &&
    isNumber(value.at) && isNumber(value.keepMs) &&
    (value.clearedAt === undefined || isNumber(value.clearedAt)) &&
    typeof value.shared === "boolean" && typeof value.typed === "string" &&
    Array.isArray(value.guesses) && value.guesses.every(isNumber) &&
    Array.isArray(value.networks) && value.networks.every(isKnownNetwork);
}

function isKnownNetwork(value: unknown): value is KnownNetwork {
  return isObject(value) && typeof value.user === "string" &&
    typeof value.network === "string" && isNumber(value.at);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
