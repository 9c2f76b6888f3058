/**
 * Who has logged in on a connection.
 *
 * @module
 */

import { newSenderRule, type SenderRule } from "../../auth/rights/senders.ts";
import type { Accepted } from "../../auth/types.ts";

/** Who has logged in, and what that user may do. */
export interface Login {
  /** The name that the provider gave, or else the one that was typed. */
  readonly user: string;
  /** Whether the user may be the sender of a message. */
  readonly maySend: SenderRule;
  /** What the provider said about the user for hooks and destinations. */
  readonly context: unknown;
}

/**
 * Makes a login of a yes.
 *
 * @param accepted What the provider said.
 * @param username The name that was typed.
 */
export function newLogin(
  { user, senders, context }: Accepted,
  username: string,
): Login {
  return { user: user ?? username, maySend: newSenderRule(senders), context };
}
