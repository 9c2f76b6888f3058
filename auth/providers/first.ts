/**
 * Several providers as one.
 *
 * @module
 */

import { askProvider } from "../ask_provider.ts";
import { aFunction, checkValue } from "../../lib/options.ts";
import { bareResult } from "../results.ts";
import type { AuthProvider, ReadyProvider } from "../types.ts";

const ACTION = "create provider chain";

/**
 * Makes one provider of several: the first that knows the user decides.
 *
 * They are asked in order, the next one only when one says `authInvalid`. The
 * first `authOk` is the answer. An `authFailure` before that is the answer
 * too, and the others are not asked: while one cannot tell, nobody knows whose
 * password it is, and `535` would make clients throw theirs away.
 *
 * @param providers At least one; each is guarded as by `askProvider`.
 * @returns A provider that never throws or rejects.
 * @throws {TypeError} If there is no provider at all, or one is no function.
 *
 * @example A few local users, and an endpoint for all others
 * ```ts
 * import {
 *   firstProvider,
 *   newHTTPAuthProvider,
 *   newStaticAuthProvider,
 * } from "@meowmail/smtpauth";
 *
 * const provider = firstProvider(
 *   newStaticAuthProvider({ printer: "correct horse" }),
 *   newHTTPAuthProvider("https://intranet.example/may-send"),
 * );
 * const { decision } = await provider({
 *   username: "printer",
 *   password: "correct horse",
 *   mechanism: "LOGIN",
 *   remoteIp: "192.0.2.9",
 *   heloName: "printer",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category Who knows the users
 */
export function firstProvider(
  ...providers: readonly AuthProvider[]
): ReadyProvider {
  if (providers.length === 0) {
    throw new TypeError(`Cannot ${ACTION}: at least one provider is needed`);
  }
  for (const [i, provider] of providers.entries()) {
    checkValue(ACTION, `provider ${i + 1}`, aFunction, provider);
  }
  return async (request, signal) => {
    let result = bareResult("authInvalid");
    for (const provider of providers) {
      result = await askProvider(provider, request, signal);
      if (result.decision !== "authInvalid") break;
    }
    return result;
  };
}
