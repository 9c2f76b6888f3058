/**
 * Every reply that refuses AUTH before an exchange has begun: `import * as
 * authRefusals`. The log reads of them as of any AUTH that ends.
 *
 * @module
 */

import type { AuthReason } from "../../auth/reasons.ts";
import type { SmtpReply } from "../../auth/replies.ts";
import * as refusals from "./refusals.ts";

/** A reply that refuses AUTH. */
export interface AuthRefusal extends SmtpReply {
  /** Why, for the log. */
  readonly reason: AuthReason;
}

/** Frozen, so that it is encoded once. */
function refusal(
  reason: AuthReason,
  { code, enhanced = "", text }: SmtpReply,
): AuthRefusal {
  return Object.freeze({ code, enhanced, text, reason });
}

export const tlsRequired: AuthRefusal = refusal("tls-required", {
  code: 538,
  enhanced: "5.7.11",
  text: "Encryption required, send STARTTLS first",
});
export const alreadyAuthenticated: AuthRefusal = refusal("bad-sequence", {
  code: 503,
  enhanced: "5.5.1",
  text: "Already authenticated",
});
export const helloFirst: AuthRefusal = refusal(
  "bad-sequence",
  refusals.helloFirst,
);
export const inTransaction: AuthRefusal = refusal(
  "bad-sequence",
  refusals.inTransaction,
);
export const malformedLine: AuthRefusal = refusal(
  "bad-syntax",
  refusals.malformedLine,
);
