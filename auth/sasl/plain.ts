/**
 * The PLAIN mechanism (RFC 4616).
 *
 * @module
 */

import { decodeUTF8 } from "../../lib/text.ts";
import { readCredentials } from "./credentials.ts";
import type { Mechanism } from "./mechanism.ts";
import { SASL_ERRORS, type SaslChallenge, type SaslStep } from "./steps.ts";

const NUL = 0;

/** The empty challenge that asks for the message (RFC 4954 section 4). */
const MESSAGE_CHALLENGE: SaslChallenge = Object.freeze({
  kind: "challenge",
  mechanism: "PLAIN",
  progress: "apPlain",
  challenge: "",
});

/**
 * PLAIN: user name and password in one message.
 *
 * @category A server of your own
 */
export const PLAIN: Mechanism = Object.freeze({
  name: "PLAIN",
  first: MESSAGE_CHALLENGE,
  respond: ({ progress }: SaslChallenge, response: Uint8Array) =>
    progress === "apPlain"
      ? readPlainMessage(response)
      : SASL_ERRORS.outOfSequence,
});

/**
 * Takes the message apart: `[authzid] NUL authcid NUL passwd`.
 *
 * Syntax is judged first (501), then what the message says (535).
 */
function readPlainMessage(message: Uint8Array): SaslStep {
  const first = message.indexOf(NUL);
  const second = first < 0 ? -1 : message.indexOf(NUL, first + 1);
  if (second < 0 || message.indexOf(NUL, second + 1) >= 0) {
    return SASL_ERRORS.malformed;
  }
  const authcid = message.subarray(first + 1, second);
  const passwd = message.subarray(second + 1);
  const step = readCredentials("PLAIN", authcid, passwd);
  // Acting for somebody else needs a right that no provider is asked about.
  const differs = step.kind === "credentials" && first > 0 &&
    decodeUTF8(message.subarray(0, first)) !== step.username;
  return differs ? SASL_ERRORS.authzidDiffers : step;
}
