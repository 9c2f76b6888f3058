/**
 * The replies that wait to be written.
 *
 * @module
 */

const NOTHING: Uint8Array = new Uint8Array(0);

/** Octets on their way out, to be written in one piece. */
export class Output {
  /** Most often there is one reply, and it need not be copied. */
  #first = NOTHING;
  #more: Uint8Array[] | undefined;
  #length = 0;

  /** How many octets wait. */
  get length(): number {
    return this.#length;
  }

  /** Puts octets behind the others. They must not change any more. */
  add(octets: Uint8Array): void {
    if (this.#length === 0) this.#first = octets;
    else (this.#more ??= []).push(octets);
    this.#length += octets.length;
  }

  /** Takes everything, in one piece. */
  take(): Uint8Array {
    const octets = this.#more === undefined
      ? this.#first
      : joined(this.#first, this.#more, this.#length);
    this.#first = NOTHING;
    this.#more = undefined;
    this.#length = 0;
    return octets;
  }
}

function joined(
  first: Uint8Array,
  more: readonly Uint8Array[],
  length: number,
): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(first);
  let at = first.length;
  for (const octets of more) {
    whole.set(octets, at);
    at += octets.length;
  }
  return whole;
}
