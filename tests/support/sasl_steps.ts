/**
 * Walking through AUTH exchanges.
 *
 * @module
 */

import type { SaslErrorReason } from "../../auth/reasons.ts";
import { continueSasl, startSasl } from "../../auth/sasl/sasl.ts";
import type { SaslChallenge, SaslStep } from "../../auth/sasl/steps.ts";
import { assert, assertEquals, assertMatch } from "./assert.ts";
import { base64 } from "./octets.ts";

/** Code, enhanced code and reason of an error step. */
export type Refusal = readonly [
  code: number,
  enhanced: string,
  reason: SaslErrorReason,
];

export const CANCELLED: Refusal = [501, "5.7.0", "cancelled"];
export const BAD_BASE64: Refusal = [501, "5.5.2", "bad-base64"];
export const BAD_MESSAGE: Refusal = [501, "5.5.2", "bad-message"];
export const BAD_UTF8: Refusal = [535, "5.7.8", "bad-utf8"];
export const AUTHZID_DIFFERS: Refusal = [535, "5.7.8", "authzid-differs"];
export const TOO_LONG: Refusal = [500, "5.5.6", "line-too-long"];
export const UNKNOWN_MECHANISM: Refusal = [504, "5.5.4", "unknown-mechanism"];
export const NO_MECHANISM: Refusal = [501, "5.5.4", "bad-syntax"];
export const OUT_OF_SEQUENCE: Refusal = [503, "5.5.1", "bad-sequence"];

/** Fails unless the step is this error, whole and ready to be sent. */
export function assertRefused(
  step: SaslStep,
  [code, enhanced, reason]: Refusal,
  what: string,
): void {
  assert(step.kind === "error", `${what}: ${step.kind}`);
  const { text, ...rest } = step;
  assertEquals(rest, { kind: "error", code, enhanced, reason }, what);
  assertMatch(text, /^[\x20-\x7e]{1,400}$/, what);
}

/** The step, which must be a challenge. */
export function challengeOf(step: SaslStep): SaslChallenge {
  assert(step.kind === "challenge", `a challenge: ${step.kind}`);
  return step;
}

/** The challenge that asks for LOGIN's password. */
export function loginPasswordChallenge(username = "ann"): SaslChallenge {
  const first = challengeOf(startSasl("LOGIN"));
  return challengeOf(continueSasl(first, base64(username)));
}
