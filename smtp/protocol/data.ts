/**
 * The message between DATA and its end (RFC 5321 section 4.5.2): finds
 * CRLF.CRLF and nothing else, takes the doubled dots out, counts the octets.
 *
 * @module
 */

const LF = 10;
const CR = 13;
const DOT = 46;

/** Four octets in a word: the highest bit of each, and a 14 in each. */
const HIGH_BITS = 0x80808080 | 0;
const FOURTEENS = 0x0e0e0e0e;

/**
 * Why a message cannot be taken, found while it was read.
 *
 * @category A whole listener
 */
export type DataFault = "too-large" | "bare-line-end";

/**
 * Whether a CR of the message stands in front of a piece: one that was among
 * the octets of the piece before, or one that was held back behind a lone dot
 * and turns out to belong to the message after all.
 */
export type CrBefore = "none" | "passed" | "held";

/** What became of a piece of input. */
export interface DataRead {
  /** The octets of the message in it, at the front of the piece. */
  readonly length: number;
  /** How much of the piece was used; all of it unless the end was found. */
  readonly used: number;
  /** Whether the end of the message was found. */
  readonly ended: boolean;
  /** Whether a bare CR or LF was found, in the piece or right in front of it. */
  readonly bareLineEnd: boolean;
  /** What stands in front of the piece. */
  readonly crBefore: CrBefore;
}

/**
 * Where in a line the reader stands. A dot at the start of a line is held back
 * until the next octet tells whether it was doubled or ends the message.
 */
type LineState = "start" | "inside" | "cr" | "dot" | "dotCr";

/** Reads one message, piece by piece, in place. */
export class DataReader {
  #state: LineState = "start";
  #octets = 0;
  #bareLineEnd = false;
  readonly #maxOctets: number;
  readonly #takesBareLineEnds: boolean;

  /**
   * @param maxOctets The most octets a message may have (RFC 1870).
   * @param takesBareLineEnds Whether a bare CR or LF is no fault.
   */
  constructor(maxOctets: number, takesBareLineEnds: boolean = false) {
    this.#maxOctets = maxOctets;
    this.#takesBareLineEnds = takesBareLineEnds;
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
    if (this.#octets > this.#maxOctets) return "too-large";
    if (this.#takesBareLineEnds) return undefined;
    return this.#bareLineEnd ? "bare-line-end" : undefined;
  }

  /**
   * Reads a piece of input and moves the message's own octets in it to its
   * front.
   */
  read(piece: Uint8Array): DataRead {
    const size = piece.length;
    let state = this.#state;
    let at = 0;
    /** The message's octets at the front, and the first one not moved there. */
    let length = 0;
    let unmoved = 0;
    let ended = false;
    let bareLineEnd = false;
    const words = wordsOf(piece);
    const crBefore = crInFront(state, piece);
    if (crBefore === "held") this.#octets++;

    while (at < size && !ended) {
      if (state === "inside") {
        at = skipText(piece, words, at);
        if (at === size) break;
        // Nearly every CR begins a line end with nothing special behind it.
        const plain = piece[at] === CR && piece[at + 1] === LF &&
          (piece[at + 2] ?? 0) > DOT;
        if (plain) {
          at += 3;
          continue;
        }
      }
      const octet = piece[at++];
      if (octet === DOT && state === "start") {
        length = move(piece, length, unmoved, at - 1);
        unmoved = at;
        state = "dot";
      } else if (octet === LF && state === "dotCr") {
        ended = true;
      } else {
        bareLineEnd ||= isBare(octet, state);
        state = following(octet, state);
      }
    }

    // Behind a lone dot, CR and CRLF belong to the end, not to the message.
    if (!ended && state !== "dotCr") length = move(piece, length, unmoved, at);
    this.#state = state;
    this.#octets += length;
    this.#bareLineEnd ||= bareLineEnd;
    return { length, used: at, ended, bareLineEnd, crBefore };
  }
}

function crInFront(state: LineState, piece: Uint8Array): CrBefore {
  if (state === "cr") return "passed";
  const isHeld = state === "dotCr" && piece.length > 0 && piece[0] !== LF;
  return isHeld ? "held" : "none";
}

/** The octets of a piece four by four, from the boundary in front of it. */
function wordsOf(piece: Uint8Array): Int32Array {
  const before = piece.byteOffset % 4;
  const count = (before + piece.length) >> 2;
  return new Int32Array(piece.buffer, piece.byteOffset - before, count);
}

/**
 * The index of the next octet that may be CR or LF. Most octets of most
 * messages are neither, so they are looked at four by four: where an octet is
 * below 14, the subtraction borrows into its highest bit. What comes behind
 * such an octet may look so too, which does no harm.
 */
function skipText(piece: Uint8Array, words: Int32Array, from: number): number {
  const before = piece.byteOffset % 4;
  let word = (from + before) >> 2;
  // The first word may begin in front of `from`: not to be looked at again.
  let mask = HIGH_BITS << (((from + before) % 4) * 8);
  for (; word < words.length; word++) {
    const octets = words[word] ?? 0;
    const below = (octets - FOURTEENS) & ~octets & mask;
    if (below !== 0) {
      const bit = 31 - Math.clz32(below & -below);
      return word * 4 - before + (bit >> 3);
    }
    mask = HIGH_BITS;
  }
  // Behind the last whole word there are up to three octets.
  let at = Math.max(from, word * 4 - before);
  while (at < piece.length && (piece[at] ?? 0) > CR) at++;
  return at;
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
function isBare(octet: number | undefined, state: LineState): boolean {
  const afterCr = state === "cr" || state === "dotCr";
  return (octet === LF) !== afterCr;
}

function following(octet: number | undefined, state: LineState): LineState {
  if (octet === CR) return state === "dot" ? "dotCr" : "cr";
  return octet === LF && state === "cr" ? "start" : "inside";
}
