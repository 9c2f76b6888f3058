/**
 * What a connection is made of, and what all of a listener share.
 *
 * @module
 */

import type { AuthProvider } from "../auth/types.ts";
import type { Encrypt } from "../net/conn.ts";
import type { Deadlines } from "../net/deadlines.ts";
import type { ConnectionLog } from "./connection_log.ts";
import type { ConnectionTimer } from "./connection_timer.ts";
import type { Deliver } from "./delivery.ts";
import type { SmtpEvent } from "./events.ts";
import type { MailHandlers } from "./mail_transaction.ts";
import type { SessionRules } from "./protocol/actions.ts";
import type { TransferSlots } from "./transfer_slots.ts";
import type { Transport } from "./transport.ts";

/** What is the same for all connections of a listener. */
export interface ConnectionContext {
  /** The rules of its sessions. */
  readonly rules: SessionRules;
  /** Who decides about logins. */
  readonly provider: AuthProvider;
  /** Who takes messages; or who is asked about senders and recipients too. */
  readonly to: Deliver | MailHandlers;
  /** How long a client may be silent, in milliseconds. */
  readonly idleTimeoutMs: number;
  /** The clock. */
  readonly deadlines: Deadlines;
  /** Encrypts a connection. */
  readonly encrypt: Encrypt;
  /** How long a client must be silent before it is greeted, in milliseconds. */
  readonly greetingDelayMs: number;
  /** Slots for reading large messages. */
  readonly transfers: TransferSlots;
  /** The log. */
  readonly report: ((event: SmtpEvent) => void) | undefined;
}

/** What the parts of a connection share. */
export interface ConnectionParts {
  /** What is the same for all. */
  readonly context: ConnectionContext;
  /** The socket and the session. */
  readonly transport: Transport;
  /** How long is waited for what. */
  readonly timer: ConnectionTimer;
  /** Who the client is, and what the log is told. */
  readonly log: ConnectionLog;
}
