/**
 * A provider for each kind of credentials.
 *
 * @module
 */

import {
  aFunction,
  anObject,
  checkValue,
  type Rule,
  text,
} from "../../lib/options.ts";
import { askProvider } from "../ask_provider.ts";
import { MECHANISM_NAME } from "../sasl/mechanism.ts";
import type { AuthProvider, AuthResult, ReadyProvider } from "../types.ts";

const ACTION = "create providers by mechanism";

/** The name of a mechanism (RFC 4422 section 3.1). */
const aMechanism: Rule = {
  ...text(
    '1 to 20 letters, digits, "-" and "_"',
    (value) => MECHANISM_NAME.test(value),
  ),
  tell: (value) => JSON.stringify(value),
};

/**
 * Makes one provider of several, each for mechanisms of its own: passwords are
 * asked of one, tokens of another.
 *
 * @param providers Providers by mechanism, in any letter case; each is guarded
 * as by `askProvider`.
 * @param others Asked about all other mechanisms. Default: nobody, and then
 * the answer is `authFailure`: credentials that nobody looked at are not wrong.
 * @returns A provider that never throws or rejects.
 * @throws {TypeError} If a name is not that of a mechanism, or comes twice, or
 * its provider is not a function; or if there is no provider at all.
 *
 * @example Users by password, machines by token
 * ```ts
 * import { byMechanism, newStaticAuthProvider } from "@meowmail/smtpauth";
 *
 * const users = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = byMechanism({
 *   PLAIN: users,
 *   LOGIN: users,
 *   OAUTHBEARER: ({ password }) => password === "a token" ? "authOk" : "authInvalid",
 * });
 * const { decision } = await provider({
 *   username: "backup",
 *   password: "a token",
 *   mechanism: "OAUTHBEARER",
 *   remoteIp: "192.0.2.7",
 *   heloName: "server",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category Who knows the users
 */
export function byMechanism(
  providers: Readonly<Record<string, AuthProvider>>,
  others?: AuthProvider,
): ReadyProvider {
  const table = checkedTable(providers);
  if (others !== undefined) checkValue(ACTION, "others", aFunction, others);
  else if (table.size === 0) {
    throw new TypeError(`Cannot ${ACTION}: at least one provider is needed`);
  }
  return async (request, signal) => {
    const provider = table.get(request.mechanism.toUpperCase()) ?? others;
    return provider === undefined
      ? NOBODY
      : await askProvider(provider, request, signal);
  };
}

const NOBODY: AuthResult = Object.freeze({
  decision: "authFailure",
  reason: "no-provider",
});

function checkedTable(
  providers: Readonly<Record<string, AuthProvider>>,
): ReadonlyMap<string, AuthProvider> {
  checkValue(ACTION, "providers", anObject, providers);
  const table = new Map<string, AuthProvider>();
  for (const [name, provider] of Object.entries(providers)) {
    const mechanism = name.toUpperCase();
    checkValue(ACTION, "mechanisms", aMechanism, mechanism);
    if (table.has(mechanism)) {
      throw new TypeError(`Cannot ${ACTION}: ${mechanism} must come once`);
    }
    checkValue(ACTION, mechanism, aFunction, provider);
    table.set(mechanism, provider);
  }
  return table;
}
