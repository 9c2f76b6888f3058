/**
 * Our lines in front of a message that comes in pieces.
 *
 * @module
 */

import { concat } from "../lib/octets.ts";
import { beginsWithHeader } from "./first_line.ts";

type Octets<B extends ArrayBufferLike> = Uint8Array<B | ArrayBuffer>;

const CRLF: Uint8Array<ArrayBuffer> = Uint8Array.of(13, 10);

/**
 * Puts lines in front of one message, and an empty line between where the
 * message has no header of its own.
 */
export class Front<B extends ArrayBufferLike = ArrayBufferLike> {
  /** Our lines, until they are handed on. */
  #lines: Octets<B> | undefined;
  /** The beginning of the message, until it is known what it is. */
  #held: Octets<B> | undefined;

  /** @param lines Our lines, with their CRLFs. */
  constructor(lines: Octets<B>) {
    this.#lines = lines;
  }

  /**
   * Takes in the next piece of the message.
   *
   * @returns What comes next, in pieces; none while more is needed to tell
   * where the message begins. The piece itself may be among them; it is not
   * kept.
   */
  push(
    piece: Octets<B>,
  ): readonly Octets<B>[] {
    if (this.#lines === undefined) return [piece];
    const start = this.#held === undefined
      ? piece
      : concat([this.#held, piece]);
    const header = beginsWithHeader(start);
    if (header !== undefined) return this.#handOn(header, start);
    this.#held = start.slice();
    return [];
  }

  /** The message has ended: what is left of it. */
  end(): readonly Octets<B>[] {
    if (this.#lines === undefined) return [];
    // Too short to be a header; an empty message is as good as one.
    return this.#held === undefined
      ? [this.#lines]
      : this.#handOn(false, this.#held);
  }

  #handOn(
    header: boolean,
    start: Octets<B>,
  ): readonly Octets<B>[] {
    const lines = this.#lines ?? CRLF;
    this.#lines = undefined;
    this.#held = undefined;
    return header ? [lines, start] : [lines, CRLF, start];
  }
}
