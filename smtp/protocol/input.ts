/**
 * The octets that a client has sent and nobody has looked at yet: one buffer
 * that the socket reads into and that lines and body are cut out of in place.
 *
 * @module
 */

import { free } from "../../lib/octets.ts";

const LF = 10;
const CR = 13;

/**
 * The buffer of a connection at rest, in octets. Thousands of idle
 * connections have one each; whole commands fit.
 */
const SMALL = 1024;

/**
 * The largest buffer that everybody may have, in octets: the longest line fits,
 * and it is the most that is kept of what a client sends ahead.
 */
const MEDIUM = 16_384;

/**
 * The largest buffer, in octets, for those who are allowed it: hundreds at once
 * would fill the memory.
 */
const LARGE = 262_144;

/** Buffers grow and shrink by this factor. */
const STEP = 4;

/** How much of a buffer a read must fill for it not to shrink. */
const OVERSIZED = 1 / 16;

/** Stands for a buffer that was given away. */
const NONE = new Uint8Array(0);

/**
 * How many buffers of connections that are over are kept for new ones: making
 * one costs more than most commands.
 */
const MAX_SPARE = 256;

/** Those, all zeros again: nobody reads what somebody else has sent. */
const spare: Uint8Array<ArrayBuffer>[] = [];

/** What {@linkcode Input.readLine} says about a line that is over the limit. */
export const TOO_LONG: unique symbol = Symbol("line too long");

/** Received octets in order: `space` and `filled` put in, the rest takes out. */
export class Input {
  #buffer: Uint8Array<ArrayBuffer> = NONE;
  /** How large the buffer is, or the next one will be. */
  #size = SMALL;
  /** Whether it is a large one, whatever the reads bring. */
  #isLarge = false;
  /** The first octet that was not taken yet. */
  #start = 0;
  /** Behind the last octet received. */
  #end = 0;
  /** Up to here there is no CRLF. */
  #scanned = 0;
  /** A line over its limit is being skipped. */
  #skipping = false;
  /** A read into the buffer's tail is under way: the buffer must stay. */
  #lent = false;
  /** How many octets the last read brought, and whether it filled its space. */
  #lastRead = 0;
  #full = false;

  /** How many octets wait to be taken. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Whether there is room for a read: always, unless far too much waits. */
  get hasRoom(): boolean {
    return this.length < MEDIUM;
  }

  /**
   * Room for the next read. It stays lent until {@linkcode Input.filled} says
   * how much of it was used.
   */
  space(): Uint8Array<ArrayBuffer> {
    if (this.length === 0) this.#rewind();
    else if (this.#end === this.#buffer.length) this.#makeRoom();
    this.#lent = true;
    // At rest all of it, which needs no view of its own.
    return this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
  }

  /** Says how many octets were read into the space, 0 for none. */
  filled(octets: number): void {
    this.#lent = false;
    this.#end += octets;
    this.#lastRead = octets;
    this.#full = this.#end === this.#buffer.length;
  }

  /**
   * Takes the next line, without its CRLF. Only CRLF ends a line.
   *
   * @param limit The most octets this line may have.
   * @returns The line (valid until the next read), `undefined` if it is not
   * complete yet, or {@linkcode TOO_LONG} once as soon as it is over the
   * limit; `atLine` then skips what remains of it.
   */
  readLine(limit: number): Uint8Array | undefined | typeof TOO_LONG {
    const end = this.#findLineEnd();
    if (end < 0) return this.#overLimit(limit) ? this.#skip() : undefined;
    const line = this.#buffer.subarray(this.#start, end);
    this.#start = this.#scanned = end + 2;
    return line.length > limit ? TOO_LONG : line;
  }

  /**
   * Whether the front is the beginning of a line, and not the remains of one
   * that was over its limit. Those are skipped here, as far as they have come.
   */
  atLine(): boolean {
    return !this.#skipping || this.#skipLine();
  }

  /** Whether what waits begins with these capital letters, in any case. */
  startsWith(letters: string): boolean {
    if (this.length < letters.length) return false;
    for (let i = 0; i < letters.length; i++) {
      const octet = (this.#buffer[this.#start + i] ?? 0) & 0xdf;
      if (octet !== letters.charCodeAt(i)) return false;
    }
    return true;
  }

  /** All that waits, to be read (or changed) in place and then `take`n. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Takes octets from the front. */
  take(octets: number): void {
    this.#start = this.#scanned = this.#start + octets;
  }

  /**
   * Gives away what `peek` showed and `take` took: a piece that fills most of
   * its buffer together with it, others as a copy; nobody writes into them any
   * more.
   */
  own(piece: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    const small = piece.length < SMALL * STEP ||
      piece.length < this.#buffer.length / 2;
    if (small || this.#lent || this.length > 0) return piece.slice();
    this.#buffer = NONE;
    this.#start = this.#end = this.#scanned = 0;
    return piece;
  }

  /** Whether the last read has filled its space: there may be more to read. */
  get isFull(): boolean {
    return this.#full;
  }

  /** A message comes: most fit in what is not the smallest. */
  expectMessage(): void {
    this.#size = Math.max(this.#size, SMALL * STEP);
  }

  /** From now on the buffer is large. */
  grow(): void {
    this.#isLarge = true;
  }

  /** From now on it is small again, as soon as nothing waits. */
  shrink(): void {
    if (!this.#isLarge) return;
    this.#isLarge = false;
    this.#size = SMALL;
    if (this.#buffer === NONE || this.#lent || this.length > 0) return;
    free(this.#buffer);
    this.#buffer = NONE;
    this.#start = this.#end = this.#scanned = 0;
  }

  /** The connection is over: the buffer may serve another one. */
  release(): void {
    const buffer = this.#buffer;
    const fits = buffer.length === SMALL && spare.length < MAX_SPARE;
    // A read that is still under way may write into it.
    if (!fits || this.#lent) return;
    buffer.fill(0);
    spare.push(buffer);
    this.#buffer = NONE;
    this.#start = this.#end = this.#scanned = 0;
  }

  /** Everything is taken: begin at the front, with a buffer of the right size. */
  #rewind(): void {
    const oversized = this.#size > SMALL * STEP &&
      this.#lastRead < this.#size * OVERSIZED;
    if (this.#isLarge) this.#size = LARGE;
    else if (this.#full && this.#size < MEDIUM) this.#size *= STEP;
    else if (oversized) this.#size /= STEP;
    this.#start = this.#end = this.#scanned = 0;
    if (this.#buffer.length !== this.#size) {
      if (this.#buffer !== NONE) free(this.#buffer);
      const ready = this.#size === SMALL ? spare.pop() : undefined;
      this.#buffer = ready ?? new Uint8Array(this.#size);
    }
  }

  /** The buffer is full: move what waits to the front of one that has room. */
  #makeRoom(): void {
    const rest = this.peek();
    const { length } = this.#buffer;
    const crowded = rest.length * 2 > length && length < MEDIUM;
    if (crowded || rest.length === length) {
      this.#size = length * STEP;
      this.#buffer = new Uint8Array(this.#size);
      this.#buffer.set(rest);
      free(rest);
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#scanned -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** The index of the next CRLF, or -1. Looks at each octet once. */
  #findLineEnd(): number {
    for (let at = this.#scanned; at < this.#end; at++) {
      const found = this.#buffer[at] === LF && at > this.#start &&
        this.#buffer[at - 1] === CR;
      if (found) return at - 1;
    }
    this.#scanned = this.#end;
    return -1;
  }

  /** A CR may be one octet over the limit: it can be half of the CRLF. */
  #overLimit(limit: number): boolean {
    return this.length > limit &&
      !(this.length === limit + 1 && this.#buffer[this.#end - 1] === CR);
  }

  #skip(): typeof TOO_LONG {
    this.#skipping = true;
    this.#skipLine();
    return TOO_LONG;
  }

  /** Drops octets to the CRLF; a CR at the end stays, its LF may follow. */
  #skipLine(): boolean {
    const end = this.#findLineEnd();
    if (end >= 0) {
      this.#skipping = false;
      this.take(end + 2 - this.#start);
      return true;
    }
    const keep = this.length > 0 && this.#buffer[this.#end - 1] === CR ? 1 : 0;
    this.take(this.length - keep);
    return false;
  }
}
