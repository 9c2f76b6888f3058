/**
 * The PLAIN mechanism (RFC 4616).
 *
 * @module
 */

import { SASL_ERRORS, type SaslChallenge, type SaslStep } from "./steps.ts";
import { decodeUTF8, hasControls } from "./credentials.ts";

const NUL = 0;

/** The empty challenge that asks for the message (RFC 4954 section 4). */
export const PLAIN_CHALLENGE: SaslChallenge = Object.freeze({
  kind: "challenge",
  mechanism: "PLAIN",
  progress: "apPlain",
  challenge: "",
});

/**
 * Takes the message apart: `[authzid] NUL authcid NUL passwd`.
 *
 * Syntax is judged first (501), then what the message says (535).
 */
export function readPlainMessage(message: Uint8Array): SaslStep {
  const first = message.indexOf(NUL);
  const second = first < 0 ? -1 : message.indexOf(NUL, first + 1);
  if (second < 0 || message.indexOf(NUL, second + 1) >= 0) {
    return SASL_ERRORS.malformed;
  }
  const authcid = message.subarray(first + 1, second);
  const passwd = message.subarray(second + 1);
  if (authcid.length === 0 || passwd.length === 0) return SASL_ERRORS.malformed;

  const username = decodeUTF8(authcid);
  const password = decodeUTF8(passwd);
  if (username === undefined || password === undefined) {
    return SASL_ERRORS.notUTF8;
  }
  if (hasControls(username)) return SASL_ERRORS.malformed;
  // Acting for somebody else needs a right that no provider is asked about.
  if (first > 0 && decodeUTF8(message.subarray(0, first)) !== username) {
    return SASL_ERRORS.authzidDiffers;
  }
  return { kind: "credentials", mechanism: "PLAIN", username, password };
}
