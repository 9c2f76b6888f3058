/**
 * Where the throttle, the limits and the rights of users keep what they must
 * remember.
 *
 * @module
 */

/** Milliseconds that a store may take if nothing else is said. */
export const STORE_TIMEOUT_MS = 250;

/** The slowest that a store may be, in milliseconds: logins and RCPTs wait for it. */
export const MAX_STORE_TIMEOUT_MS = 1_000;

/**
 * What is there under some keys, in their order; `undefined` for nothing.
 *
 * @category What is remembered
 */
export type StoreValues = readonly unknown[];

/**
 * Who can make a value, and how hard it is to make: in a store that is full,
 * values push out first those that are as easily made.
 *
 * - `login`: where a user has logged in. It takes a password.
 * - `limit`: what a user has sent.
 * - `right`: what a login's answer said of the user.
 * - `secret`: the key of hashes that processes share.
 * - `guess-1`, `guess-3`, `guess-8`: at least so many wrong passwords.
 * - `shared-1`, `shared-3`, `shared-8`: the same, from networks that have no
 *   count of their own. Nothing limits how many of them there may be.
 *
 * @category What is remembered
 */
export type StoreShare =
  | "login"
  | "limit"
  | "right"
  | "secret"
  | "guess-1"
  | "guess-3"
  | "guess-8"
  | "shared-1"
  | "shared-3"
  | "shared-8";

/**
 * A value that is to be there under a key.
 *
 * @category What is remembered
 */
export interface StoreWrite {
  /** The key: one of those that the update was for. */
  readonly key: string;
  /**
   * The value: what JSON can hold, with object members that are all defined.
   * `undefined` takes out what is there.
   */
  readonly value: unknown;
  /**
   * Milliseconds for which to keep it unless it is written again, > 0;
   * `Infinity` for ever. A store may forget it earlier.
   */
  readonly keepMs: number;
  /** Which share of a full store it belongs to. */
  readonly share: StoreShare;
}

/**
 * Where things are kept that several parts of this library remember, and that
 * several processes may share: in memory, in Deno KV, in Redis, or in a database
 * of your own. The store does not look into values: who reads one checks it.
 *
 * Members may answer at once or later, throw and reject: whoever asks then goes
 * on with a memory of its own for a while.
 *
 * @example A store that others can look into
 * ```ts
 * import {
 *   newMemoryStore,
 *   newStaticAuthProvider,
 *   type Store,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const memory = newMemoryStore();
 * const store: Store = {
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
 * @category What is remembered
 */
export interface Store {
  /**
   * Reads what is there under some keys.
   *
   * @param keys At most five. They hold user names and addresses.
   */
  read(keys: readonly string[]): StoreValues | Promise<StoreValues>;
  /**
   * Reads and writes as one step that nobody comes between: what is written is
   * there only if all that was read still was.
   *
   * @param keys At most five.
   * @param change Given what is there, says what to write: nothing for a key
   * that stays as it is. Pure; called again if another writer was faster, and
   * the last call is the one that counts.
   */
  update(
    keys: readonly string[],
    change: (values: StoreValues) => readonly StoreWrite[],
  ): void | Promise<void>;
}
