/**
 * A message as a form of two parts, `envelope` and `message`, in pieces as it
 * arrives (RFC 7578).
 *
 * @module
 */

import { concat } from "../../lib/octets.ts";
import type { Envelope } from "../../smtp/protocol/envelope.ts";
import { Front } from "../front.ts";

type Octets = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();

/** What stands between the parts of a form: nothing that a message has in it. */
export function newBoundary(): string {
  return `smtpauth-${crypto.randomUUID()}`;
}

/** The form's media type. */
export function formType(boundary: string): string {
  return `multipart/form-data; boundary=${boundary}`;
}

/** What the part `envelope` says: named one by one, so that nothing else does. */
export function envelopeJson(id: string, envelope: Envelope): string {
  const { sender, recipients, user, context, parameters } = envelope;
  const { remoteIp, heloName, tls, trusted } = envelope;
  return JSON.stringify({
    id,
    sender,
    recipients,
    user,
    context,
    remoteIp,
    heloName,
    tls,
    trusted,
    parameters,
  });
}

/**
 * The octets of the form. Its last piece is there only when the message is
 * whole: what breaks off is no form.
 *
 * @param boundary What stands between the parts.
 * @param envelope The part `envelope`, in JSON.
 * @param trace Lines that go in front of the message, with their CRLFs.
 * @param body The message. It is not read before its octets are wanted.
 * @throws What the body throws.
 */
export async function* formOctets(
  boundary: string,
  envelope: string,
  trace: string,
  body: ReadableStream<Octets>,
): AsyncGenerator<Octets> {
  const head = encoder.encode(
    `--${boundary}\r\n` +
      'content-disposition: form-data; name="envelope"\r\n' +
      "content-type: application/json\r\n\r\n" +
      `${envelope}\r\n--${boundary}\r\n` +
      // Without a file name, a form's reader takes it for a text in UTF-8.
      'content-disposition: form-data; name="message"; filename="message.eml"\r\n' +
      `content-type: message/rfc822\r\n\r\n${trace}`,
  );
  const front = new Front(head);
  for await (const piece of body) {
    const pieces = front.push(piece);
    if (pieces.length > 0) yield concat(pieces);
  }
  const end = encoder.encode(`\r\n--${boundary}--\r\n`);
  yield concat([...front.end(), end]);
}
