/**
 * Who has logged in on a connection.
 *
 * @module
 */

import { newSenderRule, type SenderRule } from "../../auth/rights/senders.ts";
import type { Accepted } from "../../auth/types.ts";
import type { Envelope } from "./envelope.ts";

/** Who has logged in, and what that user may do. */
export interface Login {
  /** The name that the provider gave, or else the one that was typed. */
  readonly user: string;
  /** What hooks and destinations are told. */
  readonly told: Pick<Envelope, "user" | "context" | "limits">;
  /** Whether the user may be the sender of a message. */
  readonly maySend: SenderRule;
}

/**
 * Makes a login of a yes.
 *
 * @param accepted What the provider said.
 * @param username The name that was typed.
 */
export function newLogin(
  { user: canonical, senders, context, limits }: Accepted,
  username: string,
): Login {
  const user = canonical ?? username;
  const told = {
    user,
    ...(context === undefined ? {} : { context }),
    ...(limits === undefined ? {} : { limits }),
  };
  return { user, told, maySend: newSenderRule(senders) };
}
