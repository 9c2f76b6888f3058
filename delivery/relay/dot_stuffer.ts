/**
 * The body of a message as it goes over the wire (RFC 5321 section 4.5.2): a
 * dot at the start of a line is doubled, a lone one ends the message.
 *
 * @module
 */

const LF = 10;
const CR = 13;
const DOT = 46;

const END: Uint8Array = new TextEncoder().encode("\r\n.\r\n");

/** Stuffs one message, piece by piece. */
export class DotStuffer {
  /** The last two octets: the message begins at the start of a line. */
  #last = LF;
  #lastButOne = CR;

  /**
   * Doubles the dots at the starts of lines.
   *
   * @returns The piece itself where there are none, as in most pieces.
   */
  stuff(octets: Uint8Array): Uint8Array {
    const dots = this.#dots(octets);
    if (octets.length > 1) this.#lastButOne = octets.at(-2) ?? 0;
    else if (octets.length === 1) this.#lastButOne = this.#last;
    this.#last = octets.at(-1) ?? this.#last;
    if (dots.length === 0) return octets;
    const stuffed = new Uint8Array(octets.length + dots.length);
    let from = 0;
    for (const [before, dot] of dots.entries()) {
      stuffed.set(octets.subarray(from, dot + 1), from + before);
      from = dot;
    }
    stuffed.set(octets.subarray(from), from + dots.length);
    return stuffed;
  }

  /**
   * Ends the message: a last line without its end gets one, because the dot
   * must stand on a line of its own.
   */
  end(): Uint8Array {
    const isAtStart = this.#last === LF && this.#lastButOne === CR;
    return isAtStart ? END.subarray(2) : END;
  }

  /** Where dots stand at the starts of lines. */
  #dots(octets: Uint8Array): number[] {
    const dots: number[] = [];
    // There is no dot at all in base64, which most large messages are.
    for (let at = octets.indexOf(DOT); at >= 0;) {
      const last = at > 0 ? octets[at - 1] : this.#last;
      const lastButOne = at > 1
        ? octets[at - 2]
        : at === 1
        ? this.#last
        : this.#lastButOne;
      if (last === LF && lastButOne === CR) dots.push(at);
      at = octets.indexOf(DOT, at + 1);
    }
    return dots;
  }
}
