/**
 * AUTH exchanges as pure functions on plain values: no state, no sockets, no
 * decision.
 *
 * @module
 */

import { decodeBase64 } from "../../lib/base64.ts";
import { LOGIN_CHALLENGE, readLoginPassword, readLoginUser } from "./login.ts";
import { PLAIN_CHALLENGE, readPlainMessage } from "./plain.ts";
import { SASL_ERRORS, type SaslChallenge, type SaslStep } from "./steps.ts";

/**
 * The longest response line in octets, without its CRLF. RFC 4954 section 4
 * calls this sufficient for every mechanism deployed.
 */
export const MAX_RESPONSE_OCTETS = 12_288;

/** The mechanisms, in the order in which they are offered after EHLO's AUTH. */
export const MECHANISMS: readonly string[] = ["PLAIN", "LOGIN"];

/** The first challenge of each mechanism. */
const FIRST_CHALLENGE: ReadonlyMap<string, SaslChallenge> = new Map([
  ["PLAIN", PLAIN_CHALLENGE],
  ["LOGIN", LOGIN_CHALLENGE],
]);

/**
 * Begins an exchange: what to do about `AUTH mechanism [initial-response]`.
 *
 * Never throws on client input and never decides: an error is a reply to send,
 * credentials are for `askProvider`.
 *
 * @param mechanism What the client named, in any letter case.
 * @param initialResponse The word after it. `undefined` and `""` mean that
 * there was none; `"="` is an initial response of zero length (RFC 4954
 * section 4). For LOGIN it is the user name.
 * @returns A challenge to send, credentials to check, or an error to send.
 *
 * @example PLAIN in one line
 * ```ts
 * import { startSasl } from "@meowmail/smtpauth";
 *
 * const step = startSasl("plain", btoa("\0ann\0secret"));
 * console.assert(step.kind === "credentials" && step.username === "ann");
 * ```
 */
export function startSasl(
  mechanism: string,
  initialResponse?: string,
): SaslStep {
  if (mechanism === "") return SASL_ERRORS.noMechanism;
  // Nearly all clients write it in upper case.
  const challenge = FIRST_CHALLENGE.get(mechanism) ??
    FIRST_CHALLENGE.get(upperCase(mechanism));
  if (challenge === undefined) return SASL_ERRORS.unknownMechanism;
  if (initialResponse === undefined || initialResponse === "") return challenge;
  return respond(challenge, initialResponse === "=" ? "" : initialResponse);
}

/**
 * Goes on with an exchange: what to do about the client's response line.
 *
 * @param step The challenge that the client answers.
 * @param response The line without its CRLF. `""` is a response of zero
 * length, `"*"` cancels the exchange (RFC 4954 section 4).
 * @returns A challenge to send, credentials to check, or an error to send.
 *
 * @example LOGIN, line by line
 * ```ts
 * import { continueSasl, startSasl } from "@meowmail/smtpauth";
 *
 * const first = startSasl("LOGIN");
 * if (first.kind !== "challenge") throw new Error("LOGIN begins with a challenge");
 * const second = continueSasl(first, btoa("ann"));
 * if (second.kind !== "challenge") throw new Error("the password comes next");
 * const last = continueSasl(second, btoa("secret"));
 * console.assert(last.kind === "credentials" && last.password === "secret");
 * ```
 */
export function continueSasl(step: SaslChallenge, response: string): SaslStep {
  return response === "*" ? SASL_ERRORS.cancelled : respond(step, response);
}

function respond(step: SaslChallenge, response: string): SaslStep {
  if (response.length > MAX_RESPONSE_OCTETS) return SASL_ERRORS.lineTooLong;
  const octets = decodeBase64(response);
  if (octets === undefined) return SASL_ERRORS.notBase64;
  switch (step.progress) {
    case "apPlain":
      return readPlainMessage(octets);
    case "apLoginUser":
      return readLoginUser(octets);
    case "apLoginPass":
      return step.username === undefined
        ? SASL_ERRORS.outOfSequence
        : readLoginPassword(step.username, octets);
    case "apNone":
      return SASL_ERRORS.outOfSequence;
    default:
      step.progress satisfies never;
      return SASL_ERRORS.outOfSequence;
  }
}

// Not toUpperCase() on everything: it turns the dotless "ı" into an "I".
function upperCase(mechanism: string): string {
  return /^[A-Za-z0-9_-]{1,20}$/.test(mechanism) ? mechanism.toUpperCase() : "";
}
