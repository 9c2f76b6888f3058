/**
 * A message as a listener of ours hands it to whoever takes it.
 *
 * @module
 */

import { isOwnBody, type MessageBody } from "./body.ts";
import { type BodyReader, StreamReader } from "./body_reader.ts";
import type { Envelope, SmtpMessage } from "./protocol/envelope.ts";

/**
 * What `deliver` gets. A class, because an object with a getter of its own
 * would outlive many others: it costs as much as the rest of a message.
 */
export class ListenerMessage implements SmtpMessage {
  readonly envelope: Envelope;
  readonly #body: MessageBody;

  /**
   * @param envelope Who sends it to whom.
   * @param body Where its octets come in.
   */
  constructor(envelope: Envelope, body: MessageBody) {
    this.envelope = envelope;
    this.#body = body;
  }

  /** Its octets, for anybody. */
  get body(): SmtpMessage["body"] {
    return this.#body.stream;
  }

  /** Where the octets of a message come in; absent: it is not a listener's. */
  static bodyOf(message: SmtpMessage): MessageBody | undefined {
    return #body in message ? message.#body : undefined;
  }
}

/**
 * Reads the body of a message, with no stream between where it comes from a
 * listener: that would cost more than all else that a small message needs.
 *
 * @throws {TypeError} If somebody else reads it.
 */
export function readBody(message: SmtpMessage): BodyReader {
  const own = ListenerMessage.bodyOf(message);
  if (own !== undefined) return own.reader();
  const { body } = message;
  return new StreamReader(body, isOwnBody(body));
}
