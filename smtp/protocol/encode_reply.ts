/**
 * How a reply becomes octets.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";

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
