/**
 * Mail that goes to somebody, of which a copy is kept.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import { checkValue } from "../lib/options.ts";
import { type Deliver, isReply } from "../smtp/delivery.ts";
import {
  aDestination,
  type Destination,
  isTransfer,
  type Transfer,
} from "../smtp/destination.ts";
import { ACTION } from "../smtp/options.ts";
import type { Envelope, SmtpMessage } from "../smtp/protocol/envelope.ts";

/** Takes a message that was answered with 250. */
export type Keep = (envelope: Envelope, octets: Uint8Array) => void;

/**
 * Hands mail on as it comes, and keeps a copy of what was taken.
 *
 * @param to Who takes it.
 * @param keep Is given each copy, before the client reads the reply.
 * @throws {TypeError} If `to` cannot take mail.
 */
export function keeping(
  to: Deliver | Destination,
  keep: Keep,
): Deliver | Destination {
  checkValue(ACTION, "to", aDestination, to);
  if (typeof to === "function") {
    return (message) => handOn(to, message, keep);
  }
  return {
    async begin(mail, signal) {
      const begun = await to.begin(mail, signal);
      return isTransfer(begun) ? keepingTransfer(begun, keep) : begun;
    },
  };
}

function keepingTransfer(transfer: Transfer, keep: Keep): Required<Transfer> {
  const take: Deliver = (message) => transfer.message(message);
  return {
    reply: transfer.reply,
    recipient: (mailbox) => transfer.recipient?.(mailbox),
    message: (message) => handOn(take, message, keep),
    abandon: () => transfer.abandon?.(),
  };
}

async function handOn(
  take: Deliver,
  { envelope, body }: SmtpMessage,
  keep: Keep,
): Promise<void | SmtpReply> {
  const [theirs, ours] = body.tee();
  const copy = new Response(ours).arrayBuffer();
  // One that breaks off is an answer to whoever takes it, and kept by nobody.
  copy.catch(() => {});
  const reply = await take({ envelope, body: theirs });
  const isTaken = reply === undefined || isReply(reply) && reply.code < 400;
  if (isTaken) keep(envelope, new Uint8Array(await copy));
  return reply;
}
