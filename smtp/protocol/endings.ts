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
import { REPLIES } from "./replies.ts";

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

/** The ways to end, by their names. */
export type EndingName =
  | "quit"
  | "shutdown"
  | "idle"
  | "noLoginInTime"
  | "tooManyCommands"
  | "tooManyFailures"
  | "tooManyErrors"
  | "http"
  | "earlyTalker"
  | "tooManyConnections"
  | "tooManyFromNetwork"
  | "clientGone";

function says(reply: SmtpReply, reason: CloseReason): Ending {
  return { reply, reason, lingers: true };
}

/** The table of them. */
export const ENDINGS: Readonly<Record<EndingName, Ending>> = {
  // A client that says QUIT has nothing to add.
  quit: { reply: REPLIES.bye, reason: "quit", lingers: false },
  shutdown: says(REPLIES.shuttingDown, "shutdown"),
  idle: says(REPLIES.idle, "idle"),
  noLoginInTime: says(REPLIES.noLoginInTime, "no-login"),
  tooManyCommands: says(REPLIES.tooManyCommands, "no-login"),
  tooManyFailures: says(REPLIES.tooManyFailures, "too-many-failures"),
  tooManyErrors: says(REPLIES.tooManyErrors, "too-many-errors"),
  http: { reason: "http", lingers: false },
  earlyTalker: says(REPLIES.earlyTalker, "early-talker"),
  tooManyConnections: says(REPLIES.tooManyConnections, "too-many-connections"),
  tooManyFromNetwork: says(REPLIES.tooManyFromNetwork, "too-many-connections"),
  clientGone: { reason: "client-gone", lingers: false },
};

/** Somebody who was asked about mail has ended it with a 421. */
export function notTaken(reply: SmtpReply): Ending {
  return says(reply, "not-taken");
}
