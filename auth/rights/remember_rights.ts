/**
 * A provider whose answers are remembered.
 *
 * @module
 */

import { askProvider } from "../ask_provider.ts";
import { steadyStore } from "../state/fallback.ts";
import {
  MAX_STORE_TIMEOUT_MS,
  type Store,
  STORE_TIMEOUT_MS,
} from "../state/store.ts";
import type { AuthProvider, ReadyProvider } from "../types.ts";
import {
  aFunction,
  anObject,
  checkOptions,
  checkValue,
  limitMs,
  required,
  type Rules,
} from "../../lib/options.ts";
import { RightsMemory } from "./rights_memory.ts";

/**
 * Where {@linkcode rememberRights} keeps what it hears.
 *
 * @category After the login
 */
export interface RememberRightsOptions {
  /** Where answers are kept: the store of whoever asks for them. */
  readonly store: Store;
  /**
   * Milliseconds that the store may take. After that answers are kept in
   * memory, for 5 s. At most 1000. Default: 250.
   */
  readonly storeTimeoutMs?: number;
  /** The time in milliseconds since 1970, for tests. Default: `Date.now`. */
  readonly now?: () => number;
}

const RULES: Rules<RememberRightsOptions> = {
  store: required(anObject),
  storeTimeoutMs: limitMs(MAX_STORE_TIMEOUT_MS),
  now: aFunction,
};

/**
 * Remembers what each accepted login's answer said of its user: the canonical
 * name, `senders` and `limits`. `servePostfixPolicy` goes by that: Postfix asks
 * it about users who have logged in, with no password that could be checked.
 *
 * An answer is kept for 12 hours under the canonical name and under the one that
 * was typed; the next login's answer takes its place. Neither passwords nor
 * `context` are kept.
 *
 * @param provider Whom to ask. Where there are guards around it, this goes
 * around them: what a cache answers is an answer, too.
 * @param options Where to keep the answers.
 * @returns A provider that answers the same, and never throws or rejects.
 * @throws {TypeError} If the provider is not a function, or an option is unknown
 * or the store missing.
 * @throws {RangeError} If `storeTimeoutMs` is not above 0 and at most 1000.
 *
 * @example For the policy server of the same process
 * ```ts
 * import {
 *   newMemoryStore,
 *   newUsersAuthProvider,
 *   rememberRights,
 * } from "@meowmail/smtpauth";
 *
 * const store = newMemoryStore(); // for servePostfixPolicy too
 * using users = newUsersAuthProvider("ann:{PLAIN}secret:ann@example.com\n");
 * const provider = rememberRights(users, { store });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category After the login
 */
export function rememberRights(
  provider: AuthProvider,
  options: RememberRightsOptions,
): ReadyProvider {
  const action = "remember rights";
  checkValue(action, "provider", aFunction, provider);
  checkOptions(action, options, RULES);
  const { store, storeTimeoutMs = STORE_TIMEOUT_MS, now = Date.now } = options;
  const memory = new RightsMemory(steadyStore(store, storeTimeoutMs), now);
  return async (request, signal) => {
    const result = await askProvider(provider, request, signal);
    if (result.decision === "authOk") {
      await memory.remember(request.username, result);
    }
    return result;
  };
}
