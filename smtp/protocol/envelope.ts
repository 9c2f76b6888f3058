/**
 * A message on its way to `deliver`.
 *
 * @module
 */

import type { SendingLimits } from "../../auth/types.ts";
import type { MailParameters } from "./params.ts";

/**
 * Who sends what to whom, over what kind of connection.
 *
 * @category A whole listener
 */
export interface Envelope {
  /** The sender's mailbox (the reverse-path); `""` for `<>`. */
  readonly sender: string;
  /** The recipients' mailboxes in the client's order; at least one. */
  readonly recipients: readonly string[];
  /** The parameters that the client gave with MAIL. */
  readonly parameters: MailParameters;
  /**
   * The user who has authenticated: the name that the provider gave, or else
   * the one that was typed. Absent if nobody has.
   */
  readonly user?: string;
  /** What the provider said about the user for hooks and destinations. */
  readonly context?: unknown;
  /** How much the provider lets the user send. Absent: it has not said. */
  readonly limits?: SendingLimits;
  /**
   * Nobody has authenticated, and the client's network may send without: one of
   * `trustedNetworks`. Absent otherwise.
   */
  readonly trusted?: true;
  /** The client's address, IPv4 without an `::ffff:` prefix. */
  readonly remoteIp: string;
  /** What the client said after EHLO or HELO, as it said it. */
  readonly heloName: string;
  /** Whether the client greeted with EHLO, that is, speaks ESMTP. */
  readonly esmtp: boolean;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
}

/**
 * A message that a client submits: its envelope, and its body on the way.
 *
 * @category A whole listener
 */
export interface SmtpMessage {
  /** Who sends what to whom. */
  readonly envelope: Envelope;
  /**
   * The octets of the message, dots unstuffed, as they arrive. Reading slowly
   * slows the client down. The stream errors when the message cannot be taken
   * (too large, a bare CR or LF in it) and when the client goes away before
   * its end: only a stream that has ended is a message.
   */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
}
