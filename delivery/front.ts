/**
 * Our lines in front of a message that comes in pieces.
 *
 * @module
 */

import { concat } from "../lib/octets.ts";
import { beginsWithHeader } from "./first_line.ts";

const CRLF: Uint8Array = Uint8Array.of(13, 10);

/**
 * Puts lines in front of one message, and an empty line between where the
 * message has no header of its own.
 */
export class Front {
  /** Our lines, until they are handed on. */
  #lines: Uint8Array | undefined;
  /** The beginning of the message, until it is known what it is. */
  #held: Uint8Array | undefined;

  /** @param lines Our lines, with their CRLFs. */
  constructor(lines: Uint8Array) {
    this.#lines = lines;
  }

  /**
   * Takes in the next piece of the message.
   *
   * @returns What comes next, in pieces; none while more is needed to tell
   * where the message begins. The piece itself may be among them; it is not
   * kept.
   */
  push(piece: Uint8Array): readonly Uint8Array[] {
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
  end(): readonly Uint8Array[] {
    if (this.#lines === undefined) return [];
    // Too short to be a header; an empty message is as good as one.
    return this.#held === undefined
      ? [this.#lines]
      : this.#handOn(false, this.#held);
  }

  #handOn(header: boolean, start: Uint8Array): readonly Uint8Array[] {
    const lines = this.#lines ?? CRLF;
    this.#lines = undefined;
    this.#held = undefined;
    return header ? [lines, start] : [lines, CRLF, start];
  }
}
