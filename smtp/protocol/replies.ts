/**
 * Every reply that is neither of an AUTH exchange nor refuses a command, and how
 * a reply becomes octets.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";

export type { SmtpReply };

/** The names of the replies in {@linkcode REPLIES}. */
export type ReplyName =
  | "ready"
  | "bye"
  | "done"
  | "senderOk"
  | "recipientOk"
  | "accepted"
  | "cannotVerify"
  | "help"
  | "shuttingDown"
  | "tooManyConnections"
  | "tooManyFromNetwork"
  | "idle"
  | "tooManyFailures"
  | "tooManyErrors"
  | "tooManyCommands"
  | "noLoginInTime"
  | "deliveryFailed"
  | "stepFailed"
  | "storageFull"
  | "bareLineEnd"
  | "earlyTalker";

/** A reply as the table has it. */
function reply(code: number, enhanced: string, text: string): SmtpReply {
  return Object.freeze({ code, enhanced, text });
}

/** The replies by their names. */
export const REPLIES: Readonly<Record<ReplyName, SmtpReply>> = {
  // Success. RFC 5321 section 4.2, RFC 3463.
  ready: reply(220, "2.0.0", "Ready to start TLS"),
  bye: reply(221, "2.0.0", "Bye"),
  done: reply(250, "2.0.0", "Ok"),
  senderOk: reply(250, "2.1.0", "Sender ok"),
  recipientOk: reply(250, "2.1.5", "Recipient ok"),
  accepted: reply(250, "2.0.0", "Message accepted"),
  cannotVerify: reply(252, "2.0.0", "Cannot verify, send some mail"),
  help: reply(214, "2.0.0", "See RFC 5321, RFC 4954 and RFC 3207"),

  // The connection ends.
  shuttingDown: reply(421, "4.3.2", "Shutting down, try again later"),
  tooManyConnections: reply(421, "4.3.2", "Too many connections"),
  tooManyFromNetwork: reply(
    421,
    "4.3.2",
    "Too many connections from your network",
  ),
  idle: reply(421, "4.4.2", "Timed out waiting for the client"),
  tooManyFailures: reply(421, "4.7.0", "Too many failed logins"),
  tooManyErrors: reply(421, "4.7.0", "Too many errors"),
  tooManyCommands: reply(421, "4.7.0", "Too many commands without a login"),
  noLoginInTime: reply(421, "4.7.0", "Too long without a login"),

  // Not now.
  deliveryFailed: reply(451, "4.3.0", "Message could not be stored, try later"),
  stepFailed: reply(451, "4.3.0", "Cannot tell now, try later"),
  storageFull: reply(452, "4.3.1", "Out of storage space, try later"),

  // Never so.
  bareLineEnd: reply(554, "5.6.0", "Message has a bare CR or LF in it"),
  earlyTalker: reply(554, "5.5.0", "Wait for the greeting before you talk"),
};

/** What DATA is answered with; an intermediate reply has no enhanced code. */
export const START_INPUT: SmtpReply = Object.freeze({
  code: 354,
  text: "Start mail input, end with <CRLF>.<CRLF>",
});

const PRINTABLE = /^[\x20-\x7e]*$/;

const encoder = new TextEncoder();
const encoded = new WeakMap<SmtpReply, Uint8Array>();

/**
 * A reply as it goes over the wire. The table's replies are encoded once.
 *
 * A text of several lines becomes a multi-line reply (RFC 5321 section 4.2.1)
 * with the enhanced code on each line (RFC 2034 section 4). What is not
 * printable ASCII is shown as `?`, so that no text can forge a reply.
 */
export function encodeReply(reply: SmtpReply): Uint8Array {
  const known = encoded.get(reply);
  if (known !== undefined) return known;
  const enhanced = reply.enhanced === undefined ? "" : `${reply.enhanced} `;
  if (PRINTABLE.test(reply.text)) {
    const line = `${reply.code} ${enhanced}${reply.text}\r\n`;
    return keep(reply, encoder.encode(line));
  }
  const lines = reply.text.split("\n");
  const last = lines.length - 1;
  const text = lines.map((line, i) => {
    const printable = line.replaceAll(/[^\x20-\x7e]/g, "?");
    return `${reply.code}${i < last ? "-" : " "}${enhanced}${printable}\r\n`;
  }).join("");
  return keep(reply, encoder.encode(text));
}

function keep(reply: SmtpReply, octets: Uint8Array): Uint8Array {
  if (Object.isFrozen(reply)) encoded.set(reply, octets);
  return octets;
}
