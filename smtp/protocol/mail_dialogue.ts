/**
 * Mail in a session (RFC 5321 section 3.3): MAIL, RCPT, DATA and the message,
 * one transaction after the other.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import {
  NEED_DATA,
  type ReceivedMessage,
  type SessionAction,
} from "./actions.ts";
import { type DataFault, DataReader } from "./data.ts";
import type { Dialogue } from "./dialogue.ts";
import { notTaken } from "./endings.ts";
import type { Envelope } from "./envelope.ts";
import { completeLineEnds } from "./newlines.ts";
import * as refusals from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import * as replies from "./replies.ts";
import {
  beginTransaction,
  foreignSender,
  readRecipient,
  type Transaction,
} from "./transaction.ts";

const END_OF_MESSAGE: SessionAction = { kind: "endOfMessage" };

/** The mail transactions of a session. */
export class MailDialogue {
  readonly #dialogue: Dialogue;
  /** What MAIL has begun: from its answer to that of its message. */
  #transaction: Transaction | undefined;
  /** What is asked about at MAIL, and at RCPT. */
  #asked: Transaction | undefined;
  #mailbox = "";
  /** The message that is read, or was last. */
  #reader: DataReader | undefined;
  #saidFault = false;

  /** @param dialogue What is said on the connection. */
  constructor(dialogue: Dialogue) {
    this.#dialogue = dialogue;
  }

  /** The transaction that is under way. */
  get transaction(): Transaction | undefined {
    return this.#transaction;
  }

  /** What is known about the message that comes, until `delivered`. */
  get received(): ReceivedMessage {
    return {
      refusedRecipients: this.#transaction?.refusedRecipients ?? 0,
      octets: this.#reader?.octets ?? 0,
      fault: this.#reader?.fault,
    };
  }

  /** The client has said MAIL in its place. */
  mail(args: string): void {
    const { rules, login } = this.#dialogue;
    const begun = beginTransaction(args, rules.maxMessageOctets);
    if (begun.kind === "error") return this.#refuse("MAIL", begun.reply);
    const { transaction } = begun;
    if (login?.maySend(transaction.sender) === false) {
      return this.#refuse("MAIL", foreignSender(transaction.sender));
    }
    if (!rules.asksAboutMail) return this.#begun(transaction, replies.senderOk);
    this.#asked = transaction;
    const mail = this.#mailOf(transaction);
    this.#dialogue.ask("beginning", { kind: "sender", mail });
  }

  /** Somebody has answered for the sender. */
  senderAnswered(reply: SmtpReply): void {
    this.#dialogue.answered("beginning", "senderAnswered");
    const transaction = this.#asked;
    this.#asked = undefined;
    if (transaction !== undefined) this.#begun(transaction, reply);
  }

  #begun(transaction: Transaction, reply: SmtpReply): void {
    if (reply.code < 400) this.#transaction = transaction;
    this.#answer("MAIL", reply);
  }

  /** The client has said RCPT. */
  rcpt(args: string): void {
    const transaction = this.#transaction;
    if (transaction === undefined) {
      return this.#refuse("RCPT", refusals.mailFirst);
    }
    const { maxRecipients, asksAboutMail } = this.#dialogue.rules;
    const named = readRecipient(transaction, args, maxRecipients);
    if (named.kind === "error") {
      transaction.refusedRecipients++;
      return this.#refuse("RCPT", named.reply);
    }
    const { mailbox } = named;
    if (!asksAboutMail) {
      return this.#named(transaction, mailbox, replies.recipientOk);
    }
    this.#mailbox = mailbox;
    this.#dialogue.ask("naming", { kind: "recipient", mailbox });
  }

  /** Somebody has answered for the recipient. */
  recipientAnswered(reply: SmtpReply): void {
    this.#dialogue.answered("naming", "recipientAnswered");
    const transaction = this.#transaction;
    if (transaction !== undefined) {
      this.#named(transaction, this.#mailbox, reply);
    }
  }

  #named(transaction: Transaction, mailbox: string, reply: SmtpReply): void {
    if (reply.code < 400) transaction.recipients.push(mailbox);
    else transaction.refusedRecipients++;
    this.#answer("RCPT", reply);
  }

  /** The client has said DATA. */
  data(args: string): void {
    const transaction = this.#transaction;
    if (transaction === undefined) {
      return this.#refuse("DATA", refusals.mailFirst);
    }
    if (args !== "") return this.#refuse("DATA", refusals.unexpectedArgument);
    const { maxMessageOctets, normalizeNewlines } = this.#dialogue.rules;
    this.#reader = new DataReader(maxMessageOctets, normalizeNewlines);
    this.#saidFault = false;
    this.#dialogue.expect("data");
    this.#dialogue.input.expectMessage();
    this.#dialogue.reply(replies.startInput);
    const { recipients } = transaction;
    const envelope = { ...this.#mailOf(transaction), recipients };
    this.#dialogue.tell({ kind: "message", envelope });
  }

  /** Reads what there is of the message; what became of it, if anything did. */
  read(): SessionAction | undefined {
    const reader = this.#reader;
    const { input } = this.#dialogue;
    const waiting = input.peek();
    if (waiting.length === 0 || reader === undefined) return NEED_DATA;
    const { length, used, ended, ...read } = reader.read(waiting);
    input.take(used);
    const { fault } = reader;
    if (ended) this.#dialogue.ask("delivering", END_OF_MESSAGE);
    if (fault === undefined) {
      if (length === 0) return undefined;
      const piece = waiting.subarray(0, length);
      const octets = read.bareLineEnd
        ? completeLineEnds(piece, read.crBefore)
        : input.own(piece);
      return { kind: "body", octets };
    }
    if (this.#saidFault) return undefined;
    this.#saidFault = true;
    return { kind: "badBody", fault };
  }

  /**
   * It has turned out what became of the message.
   *
   * @returns What the client will read.
   */
  delivered(reply: SmtpReply): SmtpReply {
    this.#dialogue.answered("delivering", "delivered");
    const fault = this.#reader?.fault;
    this.#transaction = undefined;
    const last = fault === undefined ? reply : faultReply(fault);
    if (last.code === 421) this.#dialogue.end(notTaken(last));
    else this.#dialogue.reply(last);
    return last;
  }

  /** A transaction ends without a message. */
  abandon(): void {
    if (this.#transaction === undefined) return;
    this.#transaction = undefined;
    if (this.#dialogue.rules.asksAboutMail) {
      this.#dialogue.tell({ kind: "abandoned" });
    }
  }

  #mailOf(
    { sender, parameters }: Transaction,
  ): Omit<Envelope, "recipients"> {
    const { hello, login, peer } = this.#dialogue;
    const mail: Omit<Envelope, "recipients"> = {
      sender,
      parameters,
      remoteIp: peer.remoteIp,
      heloName: hello?.name ?? "",
      esmtp: hello?.esmtp ?? false,
      tls: peer.tls,
    };
    if (login === undefined) {
      return peer.trusted ? { ...mail, trusted: true } : mail;
    }
    return { ...mail, ...login.told };
  }

  /** Somebody's answer to MAIL or RCPT; its 421 ends the connection. */
  #answer(verb: "MAIL" | "RCPT", reply: SmtpReply): void {
    if (reply.code === 421) return this.#dialogue.end(notTaken(reply));
    // That nobody could tell is no refusal: it has an event of its own.
    const isRefusal = reply.code >= 400 && reply !== replies.stepFailed;
    if (!isRefusal) return this.#dialogue.reply(reply);
    this.#refuse(verb, { ...reply, reason: "not-taken" });
  }

  #refuse(verb: "MAIL" | "RCPT" | "DATA", refusal: Refusal): void {
    this.#dialogue.refuse(verb, refusal);
  }
}

function faultReply(fault: DataFault): SmtpReply {
  return fault === "too-large" ? refusals.messageTooLarge : replies.bareLineEnd;
}
