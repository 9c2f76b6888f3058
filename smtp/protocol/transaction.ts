/**
 * A mail transaction between MAIL and DATA (RFC 5321 section 3.3).
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import { type MailParameters, parseMail, parseRcpt } from "./params.ts";
import { REPLIES } from "./replies.ts";

/** The most recipients of a message. RFC 5321 section 4.5.3.1.8 wants 100. */
const MAX_RECIPIENTS = 100;

/** Who sends to whom, as far as it is known. */
export interface Transaction {
  /** The sender's mailbox; `""` for `<>`. */
  readonly sender: string;
  /** The parameters of MAIL. */
  readonly parameters: MailParameters;
  /** The recipients so far. */
  readonly recipients: string[];
}

/** What MAIL led to. */
export type Begun =
  | { readonly kind: "begun"; readonly transaction: Transaction }
  | { readonly kind: "error"; readonly reply: SmtpReply };

/** Begins a transaction with the arguments of MAIL. */
export function beginTransaction(args: string, maxOctets: number): Begun {
  const mail = parseMail(args);
  if (mail.kind === "error") return mail;
  const { sender, parameters } = mail;
  // RFC 1870 section 6.1: no need to wait for what will not be taken.
  if ((parameters.size ?? 0) > maxOctets) {
    return { kind: "error", reply: REPLIES.messageTooLarge };
  }
  return {
    kind: "begun",
    transaction: { sender, parameters, recipients: [] },
  };
}

/** Adds the recipient in the arguments of RCPT, or tells why not. */
export function addRecipient(
  transaction: Transaction,
  args: string,
): SmtpReply {
  const { recipients, parameters } = transaction;
  const rcpt = parseRcpt(args, parameters.smtpUtf8 ?? false);
  if (rcpt.kind === "error") return rcpt.reply;
  if (recipients.length >= MAX_RECIPIENTS) return REPLIES.tooManyRecipients;
  recipients.push(rcpt.recipient);
  return REPLIES.recipientOk;
}
