/**
 * What the next hop can do (RFC 5321 section 2.2), and what a message needs.
 *
 * @module
 */

import type { Mail } from "../../smtp/destination.ts";
import { isAscii } from "../../smtp/protocol/params.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";

/** The extensions that EHLO told of: keyword in upper case, its parameters. */
export type Extensions = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the text of the reply to EHLO, whose first line is a name. A keyword on
 * several lines has the parameters of all: some servers write a line for each
 * mechanism. `AUTH=` is how drafts of RFC 2554 had it, and how servers for old
 * clients of Microsoft's write it, some of them on their only such line.
 */
export function parseExtensions(text: string): Extensions {
  const extensions = new Map<string, readonly string[]>();
  for (const line of text.toUpperCase().split("\n").slice(1)) {
    const words = line.replace(/^AUTH=/, "AUTH ").split(/ +/);
    const [keyword = "", ...parameters] = words;
    const known = extensions.get(keyword) ?? [];
    extensions.set(keyword, [...known, ...parameters]);
  }
  return extensions;
}

/** Nothing is converted: that would take signatures and meanings away. */
const NO_8BITMIME: SmtpReply = {
  code: 554,
  enhanced: "5.6.3",
  text: "The next server takes no 8-bit messages",
};
const NO_SMTPUTF8: SmtpReply = {
  code: 553,
  enhanced: "5.6.7",
  text: "The next server takes no UTF-8 addresses and headers",
};

/** RFC 6531 section 3.5: after DATA it is a 554. */
export const NO_SMTPUTF8_MESSAGE: SmtpReply = { ...NO_SMTPUTF8, code: 554 };

/**
 * Why a server with these extensions takes no mail that begins so. `SMTPUTF8`
 * alone is no reason: some clients declare it with every message, and it is what
 * is in the address and in the header that needs it.
 */
export function mailRefusal(
  { sender, parameters }: Mail,
  extensions: Extensions,
): SmtpReply | undefined {
  const refusal = mailboxRefusal(sender, extensions);
  if (refusal !== undefined) return refusal;
  const eightBit = parameters.body === "8BITMIME";
  return eightBit && !extensions.has("8BITMIME") ? NO_8BITMIME : undefined;
}

/** Why a server with these extensions takes no mail from or to a mailbox. */
export function mailboxRefusal(
  mailbox: string,
  extensions: Extensions,
): SmtpReply | undefined {
  if (extensions.has("SMTPUTF8") || isAscii(mailbox)) return undefined;
  return NO_SMTPUTF8;
}

/**
 * The MAIL command for a server with these extensions.
 *
 * @param hasLoggedIn Whether that server knows us: then it is to know as well
 * that we vouch for no original submitter, whatever the client says about one
 * (RFC 4954 section 5).
 */
export function mailCommand(
  { sender, parameters }: Mail,
  extensions: Extensions,
  hasLoggedIn: boolean,
): string {
  const { size, body, smtpUtf8 } = parameters;
  const words = [`MAIL FROM:<${sender}>`];
  if (size !== undefined && extensions.has("SIZE")) words.push(`SIZE=${size}`);
  if (body !== undefined && extensions.has("8BITMIME")) {
    words.push(`BODY=${body}`);
  }
  if (smtpUtf8 && extensions.has("SMTPUTF8")) words.push("SMTPUTF8");
  if (hasLoggedIn) words.push("AUTH=<>");
  return words.join(" ");
}
