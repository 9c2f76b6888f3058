/**
 * AUTH exchanges as pure functions on plain values: no state, no sockets, no
 * decision.
 *
 * @module
 */

import { decodeBase64 } from "../../lib/base64.ts";
import { reasonOf } from "../reasons.ts";
import { decisionReply } from "../replies.ts";
import { readResult } from "../results.ts";
import type { AuthDecision, AuthResult, Refused } from "../types.ts";
import type { Mechanism } from "./mechanism.ts";
import { findOffered, KNOWN_MECHANISMS, type MechanismOffer } from "./offer.ts";
import {
  SASL_ERRORS,
  type SaslChallenge,
  type SaslCredentials,
  type SaslDone,
  type SaslError,
  type SaslStep,
} from "./steps.ts";

/**
 * The longest response line in octets, without its CRLF. RFC 4954 section 4
 * calls this sufficient for every mechanism deployed.
 */
export const MAX_RESPONSE_OCTETS = 12_288;

/**
 * What the steps of an exchange have in common.
 *
 * @category A server of your own
 */
export interface SaslOptions {
  /**
   * The mechanisms on offer, by name or value; another one is `504`. Default:
   * PLAIN, LOGIN, XOAUTH2 and OAUTHBEARER. A server that checks no tokens
   * leaves the last two out.
   */
  readonly mechanisms?: MechanismOffer;
}

/**
 * Begins an exchange: what to do about `AUTH mechanism [initial-response]`.
 *
 * Never throws on client input and never decides: an error is a reply to send,
 * credentials are for `askProvider`. A command with more words than these two
 * is the server's to refuse, with `501 5.5.4`.
 *
 * @param mechanism What the client named, in any letter case; `undefined` and
 * `""` mean that `AUTH` stood alone, which is `501 5.5.4`.
 * @param initialResponse The word after it. `undefined` and `""` mean that
 * there was none; `"="` is an initial response of zero length (RFC 4954
 * section 4). For LOGIN it is the user name.
 * @param options Which mechanisms are on offer.
 * @returns A challenge to send, credentials to check, or an error to send.
 *
 * @example PLAIN in one line
 * ```ts
 * import { startSasl } from "@meowmail/smtpauth";
 *
 * const step = startSasl("plain", btoa("\0ann\0secret"));
 * console.assert(step.kind === "credentials" && step.username === "ann");
 * ```
 * @category A server of your own
 */
export function startSasl(
  mechanism: string | undefined,
  initialResponse?: string,
  options: SaslOptions = {},
): SaslStep {
  if (mechanism === undefined || mechanism === "") {
    return SASL_ERRORS.noMechanism;
  }
  const known = findOffered(mechanism, offerOf(options));
  if (known === undefined) return SASL_ERRORS.unknownMechanism;
  if (initialResponse === undefined || initialResponse === "") {
    return known.first;
  }
  const response = initialResponse === "=" ? "" : initialResponse;
  return respond(known, known.first, response);
}

/**
 * Goes on with an exchange: what to do about the client's response line.
 *
 * @param step The challenge that the client answers.
 * @param response The line without its CRLF. `""` is a response of zero
 * length, `"*"` cancels the exchange (RFC 4954 section 4).
 * @param options The same as at the beginning.
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
 * @category A server of your own
 */
export function continueSasl(
  step: SaslChallenge,
  response: string,
  options: SaslOptions = {},
): SaslStep {
  if (response === "*") return SASL_ERRORS.cancelled;
  // It was only to hear why: some answer nothing, some 0x01, some anything.
  if (step.refusal !== undefined) return step.refusal;
  const known = findOffered(step.mechanism, offerOf(options));
  return respond(known, step, response);
}

/**
 * Ends an exchange: what to do about a decision.
 *
 * PLAIN and LOGIN have no more to say than the reply. XOAUTH2 and OAUTHBEARER
 * tell why a token is refused, in one more challenge, before they refuse it
 * (RFC 7628 section 3.2.2): hand the client's line to `continueSasl`, which
 * returns the refusal. Where nobody could tell, they refuse at once.
 *
 * @param step Who was asked about.
 * @param answer What the provider decided.
 * @param options The same as at the beginning.
 * @returns The reply to send, or a challenge to send before it.
 *
 * @example The end of an exchange
 * ```ts
 * import { finishSasl, startSasl } from "@meowmail/smtpauth";
 *
 * const step = startSasl("PLAIN", btoa("\0ann\0secret"));
 * if (step.kind !== "credentials") throw new Error("PLAIN is one message");
 * const last = finishSasl(step, "authOk");
 * console.assert(last.kind === "done" && last.reply.code === 235);
 * ```
 * @category A server of your own
 */
export function finishSasl(
  step: SaslCredentials,
  answer: AuthDecision | AuthResult,
  options: SaslOptions = {},
): SaslChallenge | SaslDone {
  const known = findOffered(step.mechanism, offerOf(options));
  return explanation(known, step, answer) ??
    { kind: "done", reply: decisionReply(answer) };
}

function offerOf({ mechanisms = KNOWN_MECHANISMS }: SaslOptions) {
  return mechanisms;
}

/** What a mechanism says before a refusal, if it is one that says something. */
function explanation(
  known: Mechanism | undefined,
  step: SaslCredentials,
  answer: AuthDecision | AuthResult,
): SaslChallenge | undefined {
  if (known?.refusalChallenge === undefined) return undefined;
  const result = readResult(answer);
  if (result.decision === "authOk") return undefined;
  const challenge = known.refusalChallenge(step, result);
  if (challenge === undefined) return undefined;
  return {
    kind: "challenge",
    mechanism: step.mechanism,
    progress: "apTokenError",
    challenge,
    username: step.username,
    refusal: refusalOf(result),
  };
}

/** A refusal as the error that an exchange ends in. */
function refusalOf(result: Refused): SaslError {
  return { kind: "error", reason: reasonOf(result), ...decisionReply(result) };
}

function respond(
  mechanism: Mechanism | undefined,
  step: SaslChallenge,
  response: string,
): SaslStep {
  if (response.length > MAX_RESPONSE_OCTETS) return SASL_ERRORS.lineTooLong;
  const octets = decodeBase64(response);
  if (octets === undefined) return SASL_ERRORS.notBase64;
  return mechanism?.respond(step, octets) ?? SASL_ERRORS.outOfSequence;
}
