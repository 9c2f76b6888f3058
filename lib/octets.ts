/**
 * Octets in one piece.
 *
 * @module
 */

const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array();

/** All pieces, one behind the other; a piece alone is handed on as it is. */
export function concat<B extends ArrayBufferLike>(
  pieces: readonly Uint8Array<B>[],
): Uint8Array<B | ArrayBuffer> {
  if (pieces.length < 2) return pieces[0] ?? NOTHING;
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

/**
 * The same in a place that is used again and again, if they fit in it: for who
 * has done with them before anybody else gathers there.
 */
export function gather<B extends ArrayBufferLike>(
  pieces: readonly Uint8Array<B>[],
  place: Uint8Array,
): Uint8Array {
  if (pieces.length < 2) return pieces[0] ?? NOTHING;
  let size = 0;
  for (const piece of pieces) size += piece.length;
  if (size > place.length) return concat(pieces);
  let at = 0;
  for (const piece of pieces) {
    place.set(piece, at);
    at += piece.length;
  }
  return place.subarray(0, size);
}

/**
 * Frees the memory of octets that nobody needs any more: now, and not when the
 * collector comes by.
 */
export function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}
