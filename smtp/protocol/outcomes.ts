/**
 * How an AUTH ended, in the words of the log.
 *
 * @module
 */

import type { AuthReason } from "../../auth/reasons.ts";
import { findMechanism, type Mechanism } from "../../auth/sasl/mechanism.ts";
import type { AuthOutcome } from "./actions.ts";
import { words } from "./commands.ts";
import * as refusals from "./refusals.ts";
import type { Refusal } from "./refusals.ts";

/** Why AUTH was refused before an exchange began. */
const REFUSAL_REASONS: ReadonlyMap<Refusal, AuthReason> = new Map([
  [refusals.tlsRequired, "tls-required"],
  [refusals.authSyntax, "bad-syntax"],
  [refusals.malformedLine, "bad-syntax"],
]);

/** Why AUTH was answered with an error before any exchange. */
export function refusalReason(refusal: Refusal): AuthReason {
  return REFUSAL_REASONS.get(refusal) ?? "bad-sequence";
}

/**
 * The mechanism that AUTH names, if it is one of ours. Anything else may be a
 * response gone astray, and is not for the log.
 */
export function knownMechanism(
  args: string,
  mechanisms: readonly Mechanism[],
): string {
  const [word = ""] = words(args);
  return findMechanism(word, mechanisms)?.name ?? "";
}

/**
 * Puts an outcome together; what is not known is left out, and so is an empty
 * name: a token may come without one.
 *
 * @param code The reply code, if the client gets a reply.
 * @param why The reason, and its detail.
 * @param who Whom the AUTH was about.
 */
export function outcomeOf(
  code: number | undefined,
  { reason, detail }: { reason: AuthReason; detail?: string | undefined },
  { mechanism, username }: { mechanism: string; username?: string | undefined },
): AuthOutcome {
  return {
    ...(code === undefined ? {} : { code }),
    reason,
    ...(detail === undefined ? {} : { detail }),
    mechanism,
    ...(username === undefined || username === "" ? {} : { username }),
  };
}
