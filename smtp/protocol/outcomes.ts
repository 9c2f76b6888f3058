/**
 * How an AUTH ended, in the words of the log.
 *
 * @module
 */

import type { AuthReason } from "../../auth/reasons.ts";
import type { SmtpReply } from "../../auth/replies.ts";
import { MECHANISMS } from "../../auth/sasl/sasl.ts";
import type { AuthOutcome } from "./actions.ts";
import { upperCase, words } from "./commands.ts";
import { REPLIES } from "./replies.ts";

/** Why AUTH was refused before an exchange began. */
const REFUSAL_REASONS: ReadonlyMap<SmtpReply, AuthReason> = new Map([
  [REPLIES.tlsRequired, "tls-required"],
  [REPLIES.authSyntax, "bad-syntax"],
  [REPLIES.malformedLine, "bad-syntax"],
]);

/** Why AUTH was answered with an error before any exchange. */
export function refusalReason(reply: SmtpReply): AuthReason {
  return REFUSAL_REASONS.get(reply) ?? "bad-sequence";
}

/**
 * The mechanism that AUTH names, if it is one of ours. Anything else may be a
 * response gone astray, and is not for the log.
 */
export function knownMechanism(args: string): string {
  const name = upperCase(words(args)[0] ?? "");
  return MECHANISMS.includes(name) ? name : "";
}

/** Puts an outcome together; a user name that is not known is left out. */
export function outcomeOf(
  end: Pick<AuthOutcome, "code" | "reason" | "detail">,
  who: { mechanism: string; username?: string | undefined },
): AuthOutcome {
  const { mechanism, username } = who;
  const outcome = { ...end, mechanism };
  return username === undefined ? outcome : { ...outcome, username };
}
