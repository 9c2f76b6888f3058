/**
 * The ways in which a session ends: what the client reads last, what the log
 * reads, and whether the client is waited for.
 *
 * However it ends, what is under way is told so once: a transaction that it is
 * abandoned, a message that it will not be whole, an AUTH that it is over.
 * What ends before the session (a proxy that is none, TLS that fails) and by a
 * fault of our own has a reason only.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import type { CloseReason } from "./actions.ts";
import * as replies from "./replies.ts";

/** One way to end. */
export interface Ending {
  /** What the client reads last; absent: it is closed without a word. */
  readonly reply?: SmtpReply;
  /** Why, for the log. */
  readonly reason: CloseReason;
  /**
   * Whether to wait a little for the client to close first: octets of its that
   * nobody reads would make the kernel reset the connection, and the client
   * lose the reply.
   */
  readonly lingers: boolean;
}

function says(reply: SmtpReply, reason: CloseReason): Ending {
  return { reply, reason, lingers: true };
}

// A client that says QUIT has nothing to add.
export const quit: Ending = {
  reply: replies.bye,
  reason: "quit",
  lingers: false,
};
export const shutdown: Ending = says(replies.shuttingDown, "shutdown");
export const idle: Ending = says(replies.idle, "idle");
export const noLoginInTime: Ending = says(replies.noLoginInTime, "no-login");
export const tooManyCommands: Ending = says(
  replies.tooManyCommands,
  "no-login",
);
export const tooManyFailures: Ending = says(
  replies.tooManyFailures,
  "too-many-failures",
);
export const tooManyErrors: Ending = says(
  replies.tooManyErrors,
  "too-many-errors",
);
export const http: Ending = { reason: "http", lingers: false };
export const earlyTalker: Ending = says(replies.earlyTalker, "early-talker");
export const tooManyConnections: Ending = says(
  replies.tooManyConnections,
  "too-many-connections",
);
export const tooManyFromNetwork: Ending = says(
  replies.tooManyFromNetwork,
  "too-many-connections",
);
export const clientGone: Ending = { reason: "client-gone", lingers: false };

/** Somebody who was asked about mail has ended it with a 421. */
export function notTaken(reply: SmtpReply): Ending {
  return says(reply, "not-taken");
}
