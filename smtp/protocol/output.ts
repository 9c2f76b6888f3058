/**
 * The replies that wait to be written.
 *
 * @module
 */

import { concat } from "../../lib/octets.ts";

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
      : concat([this.#first, ...this.#more]);
    this.#first = NOTHING;
    this.#more = undefined;
    this.#length = 0;
    return octets;
  }
}
