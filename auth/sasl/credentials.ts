/**
 * What a user name and a password may be, whichever way they come in.
 *
 * Neither is empty; the user name has no control characters, which would reach
 * logs, headers and line-based protocols behind the provider; the password has
 * no NUL, which no mechanism can carry; and both are whole characters. What
 * breaks the first three rules is bad grammar (501); what is not UTF-8 is a
 * wrong password (535), see `SASL_ERRORS.notUTF8`.
 *
 * @module
 */

import { decodeUTF8, hasControls } from "../../lib/text.ts";
import { OAUTHBEARER } from "./oauthbearer.ts";
import { SASL_ERRORS, type SaslCredentials, type SaslError } from "./steps.ts";

const NUL = 0;

/** A user name out of its octets, or why it is none. */
export function readUsername(octets: Uint8Array): string | SaslError {
  if (octets.length === 0) return SASL_ERRORS.malformed;
  const username = decodeUTF8(octets);
  if (username === undefined) return SASL_ERRORS.notUTF8;
  return hasControls(username) ? SASL_ERRORS.malformed : username;
}

/** A password out of its octets, or why it is none. */
export function readPassword(octets: Uint8Array): string | SaslError {
  if (!isPassword(octets)) return SASL_ERRORS.malformed;
  return decodeUTF8(octets) ?? SASL_ERRORS.notUTF8;
}

function isPassword(octets: Uint8Array): boolean {
  return octets.length > 0 && !octets.includes(NUL);
}

/** Credentials out of their octets, or why they are none. */
export function readCredentials(
  mechanism: string,
  user: Uint8Array,
  pass: Uint8Array,
): SaslCredentials | SaslError {
  if (user.length === 0 || !isPassword(pass)) return SASL_ERRORS.malformed;
  const username = decodeUTF8(user);
  const password = decodeUTF8(pass);
  if (username === undefined || password === undefined) {
    return SASL_ERRORS.notUTF8;
  }
  if (hasControls(username)) return SASL_ERRORS.malformed;
  return { kind: "credentials", mechanism, username, password };
}

/** Credentials that another program has decoded, or why they are none. */
export function checkCredentials(
  mechanism: string,
  username: string,
  password: string,
): SaslCredentials | SaslError {
  if (password === "") return SASL_ERRORS.malformed;
  // A token may say by itself whose it is.
  if (username === "" && mechanism !== OAUTHBEARER.name) {
    return SASL_ERRORS.malformed;
  }
  if (hasControls(username) || password.includes("\0")) {
    return SASL_ERRORS.malformed;
  }
  // Half a surrogate pair would become another password on its way.
  if (!username.isWellFormed() || !password.isWellFormed()) {
    return SASL_ERRORS.notUTF8;
  }
  return { kind: "credentials", mechanism, username, password };
}
