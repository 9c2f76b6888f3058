/**
 * Replies as octets, and those that wait to be written.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
import { concat } from "../../lib/octets.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** Replies on their way out, to be written in one piece. */
export class Output {
  /** Most often there is one reply, and it need not be copied. */
  #first = NOTHING;
  #more: Uint8Array[] | undefined;
  #length = 0;

  /** How many octets wait. */
  get length(): number {
    return this.#length;
  }

  /** Puts a reply behind the others. */
  add(reply: SmtpReply): void {
    const octets = encodeReply(reply);
    if (this.#length === 0) this.#first = octets;
    else (this.#more ??= []).push(octets);
    this.#length += octets.length;
  }

  /** Takes everything, in one piece. */
  take(): Uint8Array {
    const octets = this.#more === undefined
      ? this.#first
      : concat([this.#first, ...this.#more]);
    this.#first = NOTHING;
    this.#more = undefined;
    this.#length = 0;
    return octets;
  }
}

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
