/**
 * Where mail goes, step by step: the long form of `Deliver`, for a relay and
 * for whoever has something to say about a sender or a recipient.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import type { Rule } from "../lib/options.ts";
import type { Envelope, SmtpMessage } from "./protocol/envelope.ts";

/**
 * What is known once MAIL has come: the envelope without its recipients.
 *
 * @category A whole listener
 */
export interface Mail extends Omit<Envelope, "recipients"> {
  /** The id of the connection, the same for all its mail. */
  readonly id: string;
}

/**
 * Nothing, or a reply: one of 4xx or 5xx refuses, and the client reads it.
 *
 * @category A whole listener
 */
export type MailAnswer = void | SmtpReply | Promise<void | SmtpReply>;

/**
 * Asked at MAIL, before the destination.
 *
 * @param mail Who sends, and from where.
 * @param signal Aborted when the client has gone.
 * @category A whole listener
 */
export type OnSender = (mail: Mail, signal: AbortSignal) => MailAnswer;

/**
 * Asked at each RCPT, before the destination.
 *
 * @param mail Who sends, and from where.
 * @param mailbox The recipient's mailbox.
 * @param signal Aborted when the client has gone.
 * @category A whole listener
 */
export type OnRecipient = (
  mail: Mail,
  mailbox: string,
  signal: AbortSignal,
) => MailAnswer;

/**
 * Takes mail over, one transaction at a time (RFC 5321 section 3.3).
 *
 * Each step may answer with a reply of 4xx or 5xx, which the client reads as it
 * is. A step that throws is `451 4.3.0`, and only the log learns why.
 *
 * @category A whole listener
 */
export interface Destination {
  /**
   * A client has said MAIL.
   *
   * @param mail Who sends, and from where.
   * @param signal Aborted when the client has gone.
   * @returns What takes the rest, or the reply that refuses the sender.
   */
  begin(
    mail: Mail,
    signal: AbortSignal,
  ): Transfer | SmtpReply | Promise<Transfer | SmtpReply>;
}

/**
 * One transaction that a {@linkcode Destination} has begun.
 *
 * @category A whole listener
 */
export interface Transfer {
  /**
   * What the client reads behind MAIL, if it is one of 2xx; anything else is
   * ignored. Absent: our own `250 2.1.0`.
   */
  readonly reply?: SmtpReply | undefined;
  /**
   * A client has said RCPT. Absent: every recipient is taken.
   *
   * @param mailbox The recipient's mailbox.
   * @returns A reply of 4xx or 5xx refuses this one recipient.
   */
  recipient?(mailbox: string): MailAnswer;
  /**
   * A client has said DATA. Called once at most; what it returns is what the
   * client reads behind the end of the message, nothing for `250 2.0.0`.
   *
   * @param message The envelope, and the body on its way.
   */
  message(message: SmtpMessage): MailAnswer;
  /**
   * The transaction has ended without a message: RSET, EHLO, QUIT, a client
   * that is lost. Called once at most, and never after `message`.
   */
  abandon?(): void;
}

/** What takes messages, one way or the other. */
export const aDestination: Rule = {
  is: "a function, or an object with a function begin",
  test: (value) =>
    typeof value === "function" ||
    typeof value === "object" && value !== null && "begin" in value &&
      typeof value.begin === "function",
};

/** Whether a destination has begun. */
export function isTransfer(value: unknown): value is Transfer {
  return typeof value === "object" && value !== null && "message" in value &&
    typeof value.message === "function";
}
