/**
 * What a session is told at its start, and what it asks of its connection.
 *
 * @module
 */

import type { ClosedReason } from "../../auth/events.ts";
import type { AuthReason } from "../../auth/reasons.ts";
import type { Mechanism } from "../../auth/sasl/mechanism.ts";
import type { AuthRequest } from "../../auth/types.ts";
import type { DataFault } from "./data.ts";
import type { Envelope } from "./envelope.ts";

/** What is the same for all sessions of a listener. */
export interface SessionRules {
  /** The host name in the greeting and after EHLO. */
  readonly serverName: string;
  /** The largest message, in octets. */
  readonly maxMessageOctets: number;
  /** Whether somebody is asked about each sender and recipient. */
  readonly asksAboutMail: boolean;
  /** Whether nothing may be sent without AUTH. */
  readonly authRequired: boolean;
  /** The mechanisms of AUTH on offer, in their order. */
  readonly mechanisms: readonly Mechanism[];
  /** Whether a bare CR or LF in a message becomes CRLF, and is no fault. */
  readonly normalizeNewlines: boolean;
  /** The most recipients of a message. */
  readonly maxRecipients: number;
  /** With which failed login a connection is closed. */
  readonly maxAuthFailures: number;
  /** Whether there is a certificate, so that STARTTLS can be offered. */
  readonly startTls: boolean;
}

/** What a session knows about its connection. */
export interface SessionPeer {
  /** The client's address, as an AuthRequest has it. */
  readonly remoteIp: string;
  /** The connection's id, in the log and in mail. */
  readonly id: string;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** Whether AUTH may be used although it is not encrypted. */
  readonly plainTextAuth: boolean;
  /** Whether its network may send without a login. */
  readonly trusted: boolean;
}

/** How an AUTH command ended. */
export interface AuthOutcome {
  /** The reply code that the client got; absent if it left without one. */
  readonly code?: number;
  /** Why. */
  readonly reason: AuthReason;
  /** The reason's detail, if there is one. */
  readonly detail?: string;
  /** The mechanism, if it is one that is known; else `""`. */
  readonly mechanism: string;
  /**
   * The user name, if the exchange came so far: the canonical one of a user who
   * was accepted, else as it was typed.
   */
  readonly username?: string;
}

/** What is known about a message beside its envelope. */
export interface ReceivedMessage {
  /** How many recipients were refused. */
  readonly refusedRecipients: number;
  /** How many octets have come, doubled dots counted once. */
  readonly octets: number;
  /** Why it cannot be taken, if that has turned out. */
  readonly fault: DataFault | undefined;
}

/** Why a session has ended the connection, or was told to. */
export type CloseReason = Extract<
  ClosedReason,
  | "quit"
  | "shutdown"
  | "no-login"
  | "too-many-failures"
  | "too-many-errors"
  | "not-taken"
  | "http"
  | "idle"
  | "early-talker"
  | "too-many-connections"
  | "client-gone"
>;

/** What the session wants of its connection next. */
export type SessionAction =
  /** Write the output, then read. */
  | { readonly kind: "needData" }
  /**
   * Write the output and let others have their turn: a client can ask for much
   * more in one packet than it says.
   */
  | { readonly kind: "flush" }
  /** Ask the provider, then call `decided`. */
  | { readonly kind: "authenticate"; readonly request: AuthRequest }
  /** For the log. */
  | { readonly kind: "authEnded"; readonly outcome: AuthOutcome }
  /** Write the output, then encrypt, then go on with `afterTls()`. */
  | { readonly kind: "startTls" }
  /** Ask whether the sender is taken, then call `senderAnswered`. */
  | { readonly kind: "sender"; readonly mail: Omit<Envelope, "recipients"> }
  /** Ask whether a recipient is taken, then call `recipientAnswered`. */
  | { readonly kind: "recipient"; readonly mailbox: string }
  /** A transaction that was asked about has ended without a message. */
  | { readonly kind: "abandoned" }
  /** A message begins; pieces of its body follow. */
  | { readonly kind: "message"; readonly envelope: Envelope }
  /** Octets of the body, which are the receiver's from now on. */
  | { readonly kind: "body"; readonly octets: Uint8Array<ArrayBuffer> }
  /** The message will be refused; nothing more of its body follows. */
  | { readonly kind: "badBody"; readonly fault: DataFault }
  /** The message's end has come: find out what became of it, then `delivered`. */
  | { readonly kind: "endOfMessage" }
  /** Write the output, then close as the ending says. */
  | {
    readonly kind: "close";
    /** Whether to wait for the client to close first. */
    readonly linger: boolean;
    /** For the log. */
    readonly reason: CloseReason;
  };

/** There is nothing to do before the client has sent more. */
export const NEED_DATA: SessionAction = { kind: "needData" };
