/**
 * A mail transaction between MAIL and DATA (RFC 5321 section 3.3).
 *
 * @module
 */

import { notYourAddress } from "../../auth/rights/senders.ts";
import { type MailParameters, parseMail, parseRcpt } from "./params.ts";
import * as refusals from "./refusals.ts";
import type { Refusal } from "./refusals.ts";

/** Who sends to whom, as far as it is known. */
export interface Transaction {
  /** The sender's mailbox; `""` for `<>`. */
  readonly sender: string;
  /** The parameters of MAIL. */
  readonly parameters: MailParameters;
  /** The recipients so far. */
  readonly recipients: string[];
  /** How many others were refused. */
  refusedRecipients: number;
}

/** What MAIL led to. */
export type Begun =
  | { readonly kind: "begun"; readonly transaction: Transaction }
  | { readonly kind: "error"; readonly reply: Refusal };

/** Begins a transaction with the arguments of MAIL. */
export function beginTransaction(args: string, maxOctets: number): Begun {
  const mail = parseMail(args);
  if (mail.kind === "error") return mail;
  const { sender, parameters } = mail;
  // RFC 1870 section 6.1: no need to wait for what will not be taken.
  if ((parameters.size ?? 0) > maxOctets) {
    return { kind: "error", reply: refusals.messageTooLarge };
  }
  return {
    kind: "begun",
    transaction: { sender, parameters, recipients: [], refusedRecipients: 0 },
  };
}

/** What RCPT names: a mailbox, or why it is none that can be taken. */
export type Named =
  | { readonly kind: "mailbox"; readonly mailbox: string }
  | { readonly kind: "error"; readonly reply: Refusal };

/**
 * Reads the recipient in the arguments of RCPT; it is not added yet.
 *
 * @param most How many recipients there may be.
 */
export function readRecipient(
  { recipients, parameters }: Transaction,
  args: string,
  most: number,
): Named {
  const rcpt = parseRcpt(args, parameters.smtpUtf8 ?? false);
  if (rcpt.kind === "error") return rcpt;
  if (recipients.length >= most) {
    return { kind: "error", reply: refusals.tooManyRecipients };
  }
  return { kind: "mailbox", mailbox: rcpt.recipient };
}

/** The refusal of a sender whom the user may not be. */
export function foreignSender(sender: string): Refusal {
  return { ...notYourAddress(sender), reason: "not-your-address" };
}
