/**
 * The alphabet of crypt(3): how its hashes write octets.
 *
 * @module
 */

const ALPHABET =
  "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Three octets, the highest first, as `length` characters, the lowest first. */
export function crypt64(
  high: number,
  middle: number,
  low: number,
  length: number,
): string {
  let bits = high << 16 | middle << 8 | low;
  let text = "";
  for (let i = 0; i < length; i++, bits >>>= 6) text += ALPHABET[bits & 63];
  return text;
}

/** `length` octets of a digest over and over. */
export function repeated(digest: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => digest[i % digest.length] ?? 0);
}

/** A hash function that answers at once, as those in a Worker may. */
export type Digest = (...parts: readonly Uint8Array[]) => Uint8Array;
