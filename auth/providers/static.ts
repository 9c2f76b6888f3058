/**
 * A provider for a handful of users that are known beforehand.
 *
 * @module
 */

import { isSameSecret, noSecret, padSecret } from "../../lib/constant_time.ts";
import { anObject, checkValue, secret } from "../../lib/options.ts";
import { bareResult } from "../results.ts";
import type { ReadyProvider } from "../types.ts";

const ACTION = "create static provider";

/**
 * Makes a provider from a fixed table of users.
 *
 * The time it takes depends on what the client sent, not on whether the user
 * exists, nor on how much of the password is right, nor on its length. User
 * names and passwords are compared in NFC.
 *
 * @param users Passwords by user name. The table is copied; its own entries
 * count, so `__proto__` and `constructor` are names like any other.
 * @returns A provider that answers `authOk` or `authInvalid`.
 * @throws {TypeError} If a user name or a password is empty or not a string.
 *
 * @example
 * ```ts
 * import { newStaticAuthProvider } from "@meowmail/smtpauth";
 *
 * const provider = newStaticAuthProvider({ ann: "correct horse" });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "battery staple",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authInvalid");
 * ```
 * @category Who knows the users
 */
export function newStaticAuthProvider(
  users: Readonly<Record<string, string>> | ReadonlyMap<string, string>,
): ReadyProvider {
  checkValue(ACTION, "users", anObject, users);
  const given = users instanceof Map ? [...users] : Object.entries(users);
  const entries = given.map(([username, password]) => {
    checkValue(ACTION, "each user name", aLoginText, username);
    checkValue(ACTION, "each password", aLoginText, password);
    return [nfc(username), nfc(password)] as const;
  });
  const size = entries.reduce(
    (most, [, password]) => Math.max(most, password.length),
    1,
  );
  const secrets = new Map(
    entries.map(([user, password]) => [user, padSecret(password, size)]),
  );
  // Compared with for a user who does not exist.
  const nobody = noSecret(size);

  return ({ username, password }) => {
    const secret = secrets.get(nfc(username)) ?? nobody;
    const right = isSameSecret(nfc(password), secret);
    return Promise.resolve(bareResult(right ? "authOk" : "authInvalid"));
  };
}

/**
 * One spelling for each text: what keyboards make of "ä" differs (RFC 4616
 * section 2).
 */
function nfc(text: string): string {
  return text.normalize("NFC");
}

const aLoginText = secret("a string that is not empty", (text) => text !== "");
