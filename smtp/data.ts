/**
 * The message between DATA and its end (RFC 5321 section 4.5.2): finds
 * CRLF.CRLF and nothing else, takes the doubled dots out, counts the octets.
 *
 * @module
 */

const LF = 10;
const CR = 13;
const DOT = 46;

/** Why a message cannot be taken, found while it was read. */
export type DataFault = "tooLarge" | "bareLineEnd";

/** What became of a piece of input. */
export interface DataRead {
  /** The octets of the message in it, at the front of the piece. */
  readonly length: number;
  /** How much of the piece was used; all of it unless the end was found. */
  readonly used: number;
  /** Whether the end of the message was found. */
  readonly ended: boolean;
}

/**
 * Where in a line the reader stands. A dot at the start of a line is held back
 * until the next octet tells whether it was doubled or ends the message.
 */
type Place = "start" | "inside" | "cr" | "dot" | "dotCr";

/** Reads one message, piece by piece, in place. */
export class DataReader {
  #place: Place = "start";
  #octets = 0;
  #bareLineEnd = false;
  readonly #maxOctets: number;

  /** @param maxOctets The most octets a message may have (RFC 1870). */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** How many octets the message has so far, doubled dots counted once. */
  get octets(): number {
    return this.#octets;
  }

  /**
   * Why the message must be refused, once that is known. The reading goes on:
   * what follows DATA is no command until the real end has come.
   */
  get fault(): DataFault | undefined {
    if (this.#octets > this.#maxOctets) return "tooLarge";
    return this.#bareLineEnd ? "bareLineEnd" : undefined;
  }

  /**
   * Reads a piece of input and moves the message's own octets in it to its
   * front.
   */
  read(piece: Uint8Array): DataRead {
    const size = piece.length;
    let place = this.#place;
    let at = 0;
    /** The message's octets at the front, and the first one not moved there. */
    let length = 0;
    let unmoved = 0;
    let ended = false;
    // A CR held back behind a lone dot belongs to the message after all.
    if (place === "dotCr" && size > 0 && piece[0] !== LF) this.#octets++;

    while (at < size && !ended) {
      if (place === "inside") {
        // Most octets of most messages are neither CR nor LF.
        while (at < size && (piece[at] ?? 0) > CR) at++;
        if (at === size) break;
      }
      const octet = piece[at++];
      if (octet === DOT && place === "start") {
        length = move(piece, length, unmoved, at - 1);
        unmoved = at;
        place = "dot";
      } else if (octet === LF && place === "dotCr") {
        ended = true;
      } else {
        if (isBare(octet, place)) this.#bareLineEnd = true;
        place = following(octet, place);
      }
    }

    // Behind a lone dot, CR and CRLF belong to the end, not to the message.
    if (!ended && place !== "dotCr") length = move(piece, length, unmoved, at);
    this.#place = place;
    this.#octets += length;
    return { length, used: at, ended };
  }
}

/** Moves `from` to `to` behind the octets at the front; returns their number. */
function move(
  piece: Uint8Array,
  length: number,
  from: number,
  to: number,
): number {
  if (length !== from) piece.copyWithin(length, from, to);
  return length + to - from;
}

/** An LF without a CR before it, or the octet after a CR that is no LF. */
function isBare(octet: number | undefined, place: Place): boolean {
  const afterCr = place === "cr" || place === "dotCr";
  return (octet === LF) !== afterCr;
}

function following(octet: number | undefined, place: Place): Place {
  if (octet === CR) return place === "dot" ? "dotCr" : "cr";
  return octet === LF && place === "cr" ? "start" : "inside";
}
