/**
 * Handing a message to `deliver`, whatever that does.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import { MessageBody } from "./body.ts";
import { ListenerMessage } from "./listener_message.ts";
import type { Envelope, SmtpMessage } from "./protocol/envelope.ts";
import { errorText } from "../lib/error_text.ts";
import * as replies from "./protocol/replies.ts";

/**
 * Takes a message over.
 *
 * Resolving with nothing means `250 2.0.0`: from then on the message is the
 * receiver's to keep. Resolving with a reply sends that one; a 421 is the last
 * that the client reads. Throwing means `451 4.3.0`, and only the log learns
 * why. A reply counts only for a message that came to its end: for one that is
 * too large or broken the client reads the reason for that instead.
 *
 * @category A whole listener
 */
export type Deliver = (
  message: SmtpMessage,
) => void | SmtpReply | Promise<void | SmtpReply>;

/** What became of a message. */
export interface Delivered {
  /** What the client is to read. */
  readonly reply: SmtpReply;
  /** What `deliver` threw, if it did. */
  readonly error?: string;
}

const ACCEPTED: Delivered = { reply: replies.accepted };

/** A message on its way. */
export interface Delivery {
  /** Who sends it to whom. */
  readonly envelope: Envelope;
  /** Where its octets go. */
  readonly body: MessageBody;
  /** What becomes of it. Never rejects. */
  readonly result: Promise<Delivered>;
}

/** Begins to deliver a message whose body is still to come. */
export function startDelivery(deliver: Deliver, envelope: Envelope): Delivery {
  const body = new MessageBody();
  const message = new ListenerMessage(envelope, body);
  return { envelope, body, result: run(deliver, message, body) };
}

async function run(
  deliver: Deliver,
  message: SmtpMessage,
  body: MessageBody,
): Promise<Delivered> {
  try {
    const reply: unknown = await deliver(message);
    if (reply === undefined || reply === null) return ACCEPTED;
    if (isReply(reply)) return { reply };
    const error = "TypeError: deliver must return nothing or an SmtpReply";
    return { reply: replies.deliveryFailed, error };
  } catch (error) {
    return { reply: replies.deliveryFailed, error: errorText(error) };
  } finally {
    body.cancel();
  }
}

/** A reply that may end a message: success or refusal, for now or for good. */
export function isReply(reply: unknown): reply is SmtpReply {
  return typeof reply === "object" && reply !== null &&
    "code" in reply && typeof reply.code === "number" &&
    [2, 4, 5].includes(reply.code / 100 | 0) && Number.isInteger(reply.code) &&
    "text" in reply && typeof reply.text === "string" &&
    (!("enhanced" in reply) || reply.enhanced === undefined ||
      typeof reply.enhanced === "string" &&
        /^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(reply.enhanced));
}
