/**
 * What a listener tells its log. Named fields only, never a whole object of
 * somebody else's, so that no secret can come along.
 *
 * @module
 */

import {
  type AuthEvent,
  type ClosedEvent,
  type ConnectionEvent,
  outcomeOfCode,
  type ServerEvent,
} from "../auth/events.ts";
import { errorText } from "../lib/error_text.ts";
import { wholeMicroseconds } from "../lib/microseconds.ts";
import { TlsFailure } from "../net/tls_failure.ts";
import type { SmtpReply } from "../auth/replies.ts";
import type {
  AuthOutcome,
  ReceivedMessage,
  SessionPeer,
} from "./protocol/actions.ts";
import type { Envelope } from "./protocol/envelope.ts";
import type { DataFault } from "./protocol/data.ts";
import type { RefusalReason } from "./protocol/refusals.ts";
import type { RefusedCommands } from "./protocol/tally.ts";

/**
 * What all events about mail say.
 *
 * @category A whole listener
 */
export interface SmtpClientEvent extends ConnectionEvent {
  /** It has come to the listener. */
  readonly via: "smtp";
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
}

/**
 * A message has been accepted, refused, or lost with its connection.
 *
 * @category A whole listener
 */
export interface SmtpMessageEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "message";
  /** The reply code that the client got; absent if it left before the end. */
  readonly code?: number;
  /** The text of that reply. */
  readonly text?: string;
  /** The user who has authenticated, if one has. */
  readonly username?: string;
  /** Nobody has, and the client's network may send without a login. */
  readonly trusted?: true;
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
 *
 * @category A whole listener
 */
export interface SmtpRefusedEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "refused";
  /** The verb of the first of these commands; `""` if it had none. */
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
 *
 * @category A whole listener
 */
export interface SmtpStepEvent extends SmtpClientEvent {
  /** Tells the events apart. */
  readonly kind: "stepFailed";
  /** What was asked about. */
  readonly step: "sender" | "recipient";
  /** What went wrong. */
  readonly error: string;
}

/**
 * What a listener tells its log: a union on `kind` that may grow.
 *
 * @category A whole listener
 */
export type SmtpEvent =
  | ServerEvent
  | SmtpMessageEvent
  | SmtpRefusedEvent
  | SmtpStepEvent;

/** What every event about a client says. */
function about({ id, remoteIp, tls }: SessionPeer): SmtpClientEvent {
  return { via: "smtp", id, remoteIp, tls };
}

/** Makes the event for a connection that has a place, or has become TLS. */
export function peerEvent<Kind extends "opened" | "secured">(
  kind: Kind,
  peer: SessionPeer,
): SmtpClientEvent & { readonly kind: Kind } {
  return { kind, ...about(peer) };
}

/** Makes the event for a question about mail that had no good answer. */
export function stepEvent(
  step: SmtpStepEvent["step"],
  peer: SessionPeer,
  error: string,
): SmtpStepEvent {
  return { kind: "stepFailed", step, error, ...about(peer) };
}

/** Makes the event for the end of an AUTH. */
export function authEvent(
  { code, reason, detail, mechanism, username }: AuthOutcome,
  peer: SessionPeer,
  milliseconds: number,
): AuthEvent {
  return {
    kind: "auth",
    outcome: outcomeOfCode(code),
    ...(code === undefined ? {} : { code }),
    reason,
    ...(detail === undefined ? {} : { detail }),
    mechanism,
    ...(username === undefined ? {} : { username }),
    ...about(peer),
    milliseconds: wholeMicroseconds(milliseconds),
  };
}

/** Makes the event for the end of a message, one way or another. */
export function messageEvent(
  { user, trusted, sender, recipients }: Envelope,
  { refusedRecipients, octets, fault }: ReceivedMessage,
  peer: SessionPeer,
  reply?: SmtpReply,
  error?: string,
): SmtpMessageEvent {
  return {
    kind: "message",
    ...(reply === undefined ? {} : { code: reply.code, text: reply.text }),
    ...(user === undefined ? {} : { username: user }),
    ...(trusted === undefined ? {} : { trusted }),
    sender,
    recipients: recipients.length,
    refusedRecipients,
    octets,
    ...about(peer),
    ...(fault === undefined ? {} : { fault }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Makes the event for commands that were refused for one reason. */
export function refusedEvent(
  { verb, code, reason, count, username }: RefusedCommands,
  peer: SessionPeer,
): SmtpRefusedEvent {
  return {
    kind: "refused",
    verb,
    code,
    reason,
    count,
    ...(username === undefined ? {} : { username }),
    ...about(peer),
  };
}

/** Makes the event for the end of a connection. */
export function closedEvent(
  reason: ClosedEvent["reason"],
  peer: SessionPeer,
  error?: unknown,
): ClosedEvent {
  return {
    kind: "closed",
    reason,
    ...about(peer),
    ...(error === undefined ? {} : { error: wordsOf(error) }),
  };
}

/** Makes the event for a client that has no place. */
export function turnedAwayEvent(
  peer: SessionPeer,
  isFlood: boolean,
): ClosedEvent {
  const event = closedEvent("too-many-connections", peer);
  return isFlood ? { ...event, again: true } : event;
}

/** A failure of TLS is said in words that need no name before them. */
function wordsOf(error: unknown): string {
  return error instanceof TlsFailure ? error.message : errorText(error);
}
