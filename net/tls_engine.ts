/**
 * What TLS is to a connection: octets in, octets out, no socket. It pulls
 * nothing, so that whoever holds it decides how much is read.
 *
 * @module
 */

/** TLS of one connection, as its server. */
export interface TlsEngine {
  /** Whether the handshake is done. */
  readonly secure: boolean;
  /** Whether the client has said that nothing more comes (close_notify). */
  readonly ended: boolean;
  /** What has gone wrong; there is an alert in the output then. */
  readonly error: Error | undefined;
  /**
   * Takes in octets that the client has sent and hands out what they decrypt
   * to, as far as there is room for it. Resolves to how many those are. The
   * octets may lie in that room, where {@linkcode encryptedPart} says.
   */
  receive(octets: Uint8Array, into: Uint8Array): number | Promise<number>;
  /** Hands out what there was no room for; returns how many octets, or 0. */
  read(into: Uint8Array): number;
  /** Encrypts, once the handshake is done; into the output. */
  write(octets: Uint8Array): void | Promise<void>;
  /** Says that nothing more comes from here; into the output. */
  end(): void | Promise<void>;
  /** Takes what is to be sent to the client; empty if there is nothing. */
  output(): Uint8Array;
  /** Gives back what it holds. Nothing else is called afterwards. */
  destroy(): void;
}

/**
 * How much an engine takes in before it hands anything out, in octets: with
 * more, what is copied between its stages leaves the fastest memory.
 */
export const SLICE_OCTETS = 16_384;

/**
 * The longest record with its header, in octets (RFC 5246 section 6.2.3). An
 * engine holds less than that of a record whose end has not come.
 */
export const LONGEST_RECORD_OCTETS = 18_437;

/**
 * The part of a room that encrypted octets may be read into, to be decrypted
 * into the same room from its front. What comes out is never longer than what
 * went in with what was held before: it stays behind the octets that still wait
 * if it began a record's length in front of them. A single slice may lie
 * anywhere, as all of it is taken in first.
 */
export function encryptedPart(
  room: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (room.length <= SLICE_OCTETS) return room;
  const isLarge = room.length > LONGEST_RECORD_OCTETS + SLICE_OCTETS;
  return isLarge
    ? room.subarray(LONGEST_RECORD_OCTETS)
    : room.subarray(0, SLICE_OCTETS);
}

/** Makes the engine of a new connection. */
export type NewTlsEngine = () => TlsEngine;

/**
 * A certificate chain with its private key, in PEM.
 *
 * @category A whole listener
 */
export interface Certificate {
  /** The certificate chain. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

/** Decrypted octets that nobody has had room for. */
export class Remains {
  readonly #pieces: Uint8Array[] = [];

  /** Puts octets behind the others. They must not change any more. */
  add(octets: Uint8Array): void {
    this.#pieces.push(octets);
  }

  /** Takes octets from the front; returns how many, 0 for none. */
  read(into: Uint8Array): number {
    const [octets] = this.#pieces;
    if (octets === undefined) return 0;
    if (octets.length > into.length) {
      into.set(octets.subarray(0, into.length));
      this.#pieces[0] = octets.subarray(into.length);
      return into.length;
    }
    into.set(octets);
    this.#pieces.shift();
    return octets.length;
  }
}
