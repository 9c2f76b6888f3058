/**
 * Every reply that refuses a command other than AUTH, and the word that the log
 * has for it: `import * as refusals`.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";

/**
 * Why a command was refused, in the words of the log: a closed set.
 *
 * @category A whole listener
 */
export type RefusalReason =
  | "too-many-recipients"
  | "no-certificate"
  | "line-too-long"
  | "malformed-line"
  | "unknown-command"
  | "unexpected-argument"
  | "missing-name"
  | "mail-syntax"
  | "rcpt-syntax"
  | "bad-sender"
  | "bad-recipient"
  | "bad-parameter"
  | "unknown-parameter"
  | "not-implemented"
  | "hello-first"
  | "already-tls"
  | "in-transaction"
  | "mail-first"
  | "rcpt-first"
  | "auth-required"
  | "message-too-large"
  | "needs-smtputf8"
  | "not-your-address"
  /** A hook or the destination has said so. */
  | "not-taken";

/** A reply that refuses a command: the text is the client's, the reason the log's. */
export interface Refusal extends SmtpReply {
  /** Why, from a closed set. */
  readonly reason: RefusalReason;
}

/** Frozen, so that it is encoded once. */
function refusal(
  reason: RefusalReason,
  code: number,
  enhanced: string,
  text: string,
): Refusal {
  return Object.freeze({ code, enhanced, text, reason });
}

// Not now.

export const tooManyRecipients: Refusal = refusal(
  "too-many-recipients",
  452,
  "4.5.3",
  "Too many recipients",
);
export const noCertificate: Refusal = refusal(
  "no-certificate",
  454,
  "4.7.0",
  "TLS is not available",
);

// Never so. RFC 5321 section 4.2.4, RFC 4954 section 6, RFC 6531.

export const lineTooLong: Refusal = refusal(
  "line-too-long",
  500,
  "5.5.2",
  "Line is too long",
);
export const malformedLine: Refusal = refusal(
  "malformed-line",
  500,
  "5.5.2",
  "Lines end in CRLF, without other controls",
);
export const unknownCommand: Refusal = refusal(
  "unknown-command",
  500,
  "5.5.1",
  "Command not recognized",
);
export const unexpectedArgument: Refusal = refusal(
  "unexpected-argument",
  501,
  "5.5.4",
  "No arguments are allowed",
);
export const missingName: Refusal = refusal(
  "missing-name",
  501,
  "5.5.4",
  "A host name or address is required",
);
export const mailSyntax: Refusal = refusal(
  "mail-syntax",
  501,
  "5.5.2",
  "Syntax: MAIL FROM:<address> [parameters]",
);
export const rcptSyntax: Refusal = refusal(
  "rcpt-syntax",
  501,
  "5.5.2",
  "Syntax: RCPT TO:<address>",
);
export const badSender: Refusal = refusal(
  "bad-sender",
  501,
  "5.1.7",
  "Bad sender address syntax",
);
export const badRecipient: Refusal = refusal(
  "bad-recipient",
  501,
  "5.1.3",
  "Bad recipient address syntax",
);
export const badParameter: Refusal = refusal(
  "bad-parameter",
  501,
  "5.5.4",
  "Bad parameter value",
);
export const notImplemented: Refusal = refusal(
  "not-implemented",
  502,
  "5.5.1",
  "Command not implemented",
);
export const helloFirst: Refusal = refusal(
  "hello-first",
  503,
  "5.5.1",
  "Send EHLO first",
);
export const alreadyTls: Refusal = refusal(
  "already-tls",
  503,
  "5.5.1",
  "TLS is already on",
);
export const inTransaction: Refusal = refusal(
  "in-transaction",
  503,
  "5.5.1",
  "Not allowed in a mail transaction",
);
export const mailFirst: Refusal = refusal(
  "mail-first",
  503,
  "5.5.1",
  "Send MAIL first",
);
export const rcptFirst: Refusal = refusal(
  "rcpt-first",
  503,
  "5.5.1",
  "Send RCPT first",
);
export const authRequired: Refusal = refusal(
  "auth-required",
  530,
  "5.7.0",
  "Authentication required",
);
/** The same in other words, where AUTH is not on offer before TLS. */
export const authBehindTls: Refusal = refusal(
  "auth-required",
  530,
  "5.7.0",
  "Authentication required, send STARTTLS first",
);
export const messageTooLarge: Refusal = refusal(
  "message-too-large",
  552,
  "5.3.4",
  "Message is too large",
);
export const needsSmtpUtf8: Refusal = refusal(
  "needs-smtputf8",
  553,
  "5.6.7",
  "Non-ASCII address without SMTPUTF8",
);
export const unknownParameter: Refusal = refusal(
  "unknown-parameter",
  555,
  "5.5.4",
  "Parameter not recognized",
);
