/**
 * What the next hop cannot take of a message, found while it passes.
 *
 * @module
 */

import type { MailParameters } from "../../smtp/protocol/params.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { Front } from "../front.ts";
import { type Extensions, NO_SMTPUTF8_MESSAGE } from "./extensions.ts";

/** Takes a message in pieces, and says what goes over the wire. */
export type MessageFront = Pick<Front, "push" | "end">;

/** A message that must not be handed on any further. */
export class UnfitMessage extends Error {
  /** Tells it from other errors. */
  override readonly name = "UnfitMessage";
  /** What the client is to read. */
  readonly reply: SmtpReply = NO_SMTPUTF8_MESSAGE;
}

/**
 * What puts our lines in front of a message for a server with these extensions.
 * Some clients declare SMTPUTF8 with every message where it is offered, for
 * plain ASCII too: what counts is what is in the header.
 */
export function newMessageFront(
  lines: Uint8Array,
  { smtpUtf8 }: MailParameters,
  extensions: Extensions,
): MessageFront {
  const front = new Front(lines);
  return smtpUtf8 && !extensions.has("SMTPUTF8")
    ? new AsciiHeaderFront(front)
    : front;
}

const SEVEN_BITS = 127;
const CR = 13;

/** What ends a header. Our lines stand before it, so it is never the first. */
const HEADER_END: readonly number[] = [CR, 10, CR, 10];

/**
 * Throws at the first octet of the header that is not ASCII. Headers of parts
 * inside of a message are its body here: MIME is not parsed.
 */
class AsciiHeaderFront implements MessageFront {
  readonly #front: Front;
  /** How many octets of the end of the header have come. */
  #matched = 0;

  constructor(front: Front) {
    this.#front = front;
  }

  push(piece: Uint8Array): readonly Uint8Array[] {
    return this.#checked(this.#front.push(piece));
  }

  end(): readonly Uint8Array[] {
    return this.#checked(this.#front.end());
  }

  #checked(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
    for (const piece of pieces) {
      if (hasEightBits(piece.subarray(0, this.#bodyStart(piece)))) {
        throw new UnfitMessage();
      }
    }
    return pieces;
  }

  /** Where the body begins in the next piece. */
  #bodyStart(piece: Uint8Array): number {
    let at = 0;
    for (; at < piece.length && this.#matched < HEADER_END.length; at++) {
      const octet = piece[at];
      if (octet === HEADER_END[this.#matched]) this.#matched++;
      else this.#matched = octet === CR ? 1 : 0;
    }
    return at;
  }
}

function hasEightBits(octets: Uint8Array): boolean {
  return octets.some((octet) => octet > SEVEN_BITS);
}
