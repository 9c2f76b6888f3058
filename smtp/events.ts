/**
 * What a listener tells its log. Named fields only, never a whole object of
 * somebody else's, so that no secret can come along.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import type { AcceptFailedEvent, AuthEvent } from "../auth/events.ts";
import { TlsFailure } from "../net/tls_failure.ts";
import type { SmtpReply } from "../auth/replies.ts";
import type {
  AuthOutcome,
  CloseReason,
  ReceivedMessage,
  SessionPeer,
} from "./protocol/actions.ts";
import type { Envelope } from "./protocol/envelope.ts";
import type { DataFault } from "./protocol/data.ts";
import type { RefusalReason } from "./protocol/refusals.ts";
import type { RefusedCommands } from "./protocol/tally.ts";

/** What all events about a client say. */
export interface SmtpClientEvent {
  /** The client's address. */
  readonly remoteIp: string;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
}

/** A message has been accepted, refused, or lost with its connection. */
export interface SmtpMessageEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "message";
  /** The reply code that the client got; absent if it left before the end. */
  readonly code?: number;
  /** The text of that reply. */
  readonly text?: string;
  /** The user who has authenticated, if one has. */
  readonly username?: string;
  /** The sender's mailbox; `""` for `<>`. */
  readonly sender: string;
  /** How many recipients the message has. */
  readonly recipients: number;
  /** How many others were refused: they do not get it. */
  readonly refusedRecipients: number;
  /** How many octets of the message arrived. */
  readonly octets: number;
  /** What is wrong with it, if something is: it was refused, or lost, for that. */
  readonly fault?: DataFault;
  /** What `deliver` threw, if it did. */
  readonly error?: string;
}

/**
 * Commands were refused, for one reason, outside of AUTH and of a message's
 * text, which have events of their own. There is one event for each reason, at
 * the end of the connection.
 */
export interface SmtpRefusedEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "refused";
  /** The verb of the first of these commands; `""` if it was none. */
  readonly verb: string;
  /** The reply code. */
  readonly code: number;
  /** Why, from a closed set of words. */
  readonly reason: RefusalReason;
  /** How many commands were refused so. */
  readonly count: number;
  /** The user who had authenticated, if one had. */
  readonly username?: string;
}

/**
 * A hook or a destination could not say whether it takes a sender or a
 * recipient: it threw, answered nonsense, or took too long. The client has read
 * `451 4.3.0`.
 */
export interface SmtpStepEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "stepFailed";
  /** What was asked about. */
  readonly step: "sender" | "recipient";
  /** What went wrong. */
  readonly error: string;
}

/** The listener has ended a connection on its own account. */
export interface SmtpClosedEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "closed";
  /** Why, from a closed set of words. */
  readonly reason:
    | CloseReason
    | "idle"
    | "too-many-connections"
    /** It has talked before it was greeted. */
    | "early-talker"
    /** It does not come from a network of `proxyProtocolFrom`. */
    | "proxy-untrusted"
    /** It does, and does not begin with a header of the PROXY protocol. */
    | "proxy-malformed"
    | "tls-failed"
    | "error";
  /** What went wrong, for `tls-failed` and `error`. */
  readonly error?: string;
}

/** What a listener tells its log: a union on `kind` that may grow. */
export type SmtpEvent =
  | AuthEvent
  | SmtpMessageEvent
  | SmtpRefusedEvent
  | SmtpStepEvent
  | SmtpClosedEvent
  | AcceptFailedEvent;

/** Makes the event for a question about mail that had no good answer. */
export function stepEvent(
  step: SmtpStepEvent["step"],
  { remoteIp, tls }: SessionPeer,
  error: string,
): SmtpStepEvent {
  return { kind: "stepFailed", step, error, remoteIp, tls };
}

/** Makes the event for the end of an AUTH. */
export function authEvent(
  { code, reason, detail, mechanism, username }: AuthOutcome,
  { remoteIp, tls }: SessionPeer,
  milliseconds: number,
): AuthEvent {
  return {
    kind: "auth",
    via: "smtp",
    outcome: outcomeWord(code),
    ...(code === undefined ? {} : { code }),
    reason,
    ...(detail === undefined ? {} : { detail }),
    mechanism,
    ...(username === undefined ? {} : { username }),
    remoteIp,
    tls,
    milliseconds: Math.round(milliseconds),
  };
}

function outcomeWord(code: number | undefined): AuthEvent["outcome"] {
  switch (code) {
    case 235:
      return "ok";
    case 535:
      return "invalid";
    case 454:
      return "failure";
    default:
      return "error";
  }
}

/** Makes the event for the end of a message, one way or another. */
export function messageEvent(
  envelope: Envelope,
  { refusedRecipients, octets, fault }: ReceivedMessage,
  reply?: SmtpReply,
  error?: string,
): SmtpMessageEvent {
  const { user, sender, recipients, remoteIp, tls } = envelope;
  return {
    kind: "message",
    ...(reply === undefined ? {} : { code: reply.code, text: reply.text }),
    ...(user === undefined ? {} : { username: user }),
    sender,
    recipients: recipients.length,
    refusedRecipients,
    octets,
    remoteIp,
    tls,
    ...(fault === undefined ? {} : { fault }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Makes the event for commands that were refused for one reason. */
export function refusedEvent(
  { verb, code, reason, count, username }: RefusedCommands,
  { remoteIp, tls }: SessionPeer,
): SmtpRefusedEvent {
  return {
    kind: "refused",
    verb,
    code,
    reason,
    count,
    ...(username === undefined ? {} : { username }),
    remoteIp,
    tls,
  };
}

/** Makes the event for a connection that the listener ends. */
export function closedEvent(
  reason: SmtpClosedEvent["reason"],
  { remoteIp, tls }: SessionPeer,
  error?: unknown,
): SmtpClosedEvent {
  return {
    kind: "closed",
    reason,
    remoteIp,
    tls,
    ...(error === undefined ? {} : { error: wordsOf(error) }),
  };
}

/** A failure of TLS is said in words that need no name before them. */
function wordsOf(error: unknown): string {
  return error instanceof TlsFailure ? error.message : errorText(error);
}
