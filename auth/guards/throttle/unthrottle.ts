/**
 * Forgetting what was counted, for a user who is held up by it.
 *
 * @module
 */

import type { MemoryStore } from "../../state/memory_store.ts";
import type { Store } from "../../state/store.ts";
import { countingName } from "../../user_name.ts";
import { newEntry } from "./entries.ts";
import {
  isThrottleEntry,
  throttleEntries,
  type ThrottleEntry,
} from "./entry.ts";
import { HOUR_MS } from "./options.ts";

/**
 * Forgets the wrong guesses at a user, from everywhere. Where the user has logged
 * in stays known; so do the counts of networks, and which guesses were wrong: a
 * device with an old password still costs nothing.
 *
 * @param store Where they are counted.
 * @param username The user, in any spelling that counts as the same.
 * @param now Milliseconds since 1970.
 * @returns How many there were, rounded up.
 * @throws What the store throws.
 *
 * @example A user who was locked out calls
 * ```ts
 * import {
 *   newMemoryStore,
 *   newStaticAuthProvider,
 *   unthrottle,
 *   withThrottle,
 * } from "@meowmail/smtpauth";
 *
 * const store = newMemoryStore(); // or one that several processes share
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = withThrottle(users, { store });
 * await provider({
 *   username: "ann",
 *   password: "wrong",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(await unthrottle(store, "ann") === 1);
 * ```
 * @category Around a provider
 */
export async function unthrottle(
  store: Store,
  username: string,
  now: number = Date.now(),
): Promise<number> {
  const name = countingName(username);
  let guesses = 0;
  await throttleEntries(store).update(
    [`user ${name}`, `unknown ${name}`],
    ([user, unknown]) => {
      guesses = Math.ceil((user?.count ?? 0) + (unknown?.count ?? 0));
      return [cleared(user ?? newEntry(HOUR_MS, now, false), now), undefined];
    },
  );
  return guesses;
}

/**
 * The same for all users, and all networks, in the memory of one process.
 *
 * @returns How many values were forgotten or changed.
 */
export function unthrottleAll(store: MemoryStore, now: number): number {
  const keys = [...store.keys()].filter((key) => key.startsWith("t:"));
  for (const key of keys) {
    store.update([key], ([found]) => {
      const isUser = key.startsWith("t:user ") && isThrottleEntry(found);
      const value = isUser ? cleared(found, now) : undefined;
      const keepMs = isUser ? found.keepMs : 0;
      return [{ key, value, keepMs, share: "login" }];
    });
  }
  return keys.length;
}

/**
 * Nothing is counted any more, in no network either: those entries are not known
 * here, but older than this.
 */
function cleared(entry: ThrottleEntry, now: number): ThrottleEntry {
  const none = { count: 0, home: 0, late: 0 };
  return { ...entry, ...none, at: now, clearedAt: now };
}
