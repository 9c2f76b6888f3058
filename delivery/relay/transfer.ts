/**
 * One transaction that is handed on step by step: what the next hop answers is
 * what the client reads.
 *
 * @module
 */

import type { Transfer } from "../../smtp/destination.ts";
import { readBody } from "../../smtp/listener_message.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { receivedField } from "../trace.ts";
import { mailboxRefusal } from "./extensions.ts";
import { FAILURE_REPLIES, handedOn } from "./failures.ts";
import { newMessageFront, UnfitMessage } from "./fitting.ts";
import type { Upstream } from "./upstream.ts";

/** What a transfer needs of its relay. */
export interface TransferContext {
  /** The name of this server, in `Received`. */
  readonly serverName: string;
  /** What the message is called here. */
  readonly id: string;
  /** Takes the connection back. */
  readonly give: (upstream: Upstream) => void;
  /** Tells the log; says what the client is to read. Rethrows what is not ours. */
  readonly failed: (error: unknown) => SmtpReply;
}

const encoder = new TextEncoder();

/** One transaction on a connection to the next hop, begun by MAIL. */
export class RelayTransfer implements Transfer {
  readonly reply: SmtpReply;
  readonly #upstream: Upstream;
  readonly #context: TransferContext;
  #isAbandoned = false;

  /**
   * @param upstream The connection, which is this transfer's until its end.
   * @param reply What the next hop has answered to MAIL.
   * @param context What it needs of its relay.
   */
  constructor(
    upstream: Upstream,
    reply: SmtpReply,
    context: TransferContext,
  ) {
    this.#upstream = upstream;
    this.reply = handedOn(reply);
    this.#context = context;
  }

  /** Hands a recipient on. */
  async recipient(mailbox: string): Promise<SmtpReply> {
    const refusal = mailboxRefusal(mailbox, this.#upstream.extensions);
    if (refusal !== undefined) return refusal;
    return await this.#handOn(this.#upstream.rcpt(mailbox));
  }

  /** Hands the message on. */
  async message(message: SmtpMessage): Promise<SmtpReply> {
    const { envelope } = message;
    const { serverName, id, give } = this.#context;
    const stamp = { serverName, id, date: new Date() };
    const front = newMessageFront(
      encoder.encode(receivedField(envelope, stamp)),
      envelope.parameters,
      this.#upstream.extensions,
    );
    try {
      return await this.#handOn(
        this.#upstream.message(front, readBody(message)),
      );
    } finally {
      give(this.#upstream);
    }
  }

  /** Tells the next hop that nothing follows. */
  abandon(): void {
    this.#isAbandoned = true;
    // One that hangs would keep the connection, and its place, for minutes.
    if (this.#upstream.owesReply) this.#upstream.close();
    const give = () => this.#context.give(this.#upstream);
    this.#upstream.rset().then(give, give);
  }

  async #handOn(reply: Promise<SmtpReply>): Promise<SmtpReply> {
    try {
      return handedOn(await reply);
    } catch (error) {
      if (error instanceof UnfitMessage) {
        // The next hop must not take half of it for the whole.
        this.#upstream.close();
        return error.reply;
      }
      // That we have given up is no failure.
      if (this.#isAbandoned) return FAILURE_REPLIES["relay-closed"];
      return this.#context.failed(error);
    }
  }
}
