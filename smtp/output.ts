/**
 * The replies that wait to be written.
 *
 * @module
 */

/** Octets on their way out, to be written in one piece. */
export class Output {
  readonly #pieces: Uint8Array[] = [];
  #octets = 0;

  /** Whether there is nothing to write. */
  get isEmpty(): boolean {
    return this.#pieces.length === 0;
  }

  /** How many octets wait. */
  get length(): number {
    return this.#octets;
  }

  /** Puts octets behind the others. They must not change any more. */
  add(octets: Uint8Array): void {
    this.#pieces.push(octets);
    this.#octets += octets.length;
  }

  /** Takes everything, in one piece. A lone reply is not even copied. */
  take(): Uint8Array {
    const [first] = this.#pieces;
    const lone = this.#pieces.length === 1 ? first : undefined;
    const octets = lone ?? concat(this.#pieces);
    this.#pieces.length = 0;
    this.#octets = 0;
    return octets;
  }
}

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const piece of pieces) size += piece.length;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
