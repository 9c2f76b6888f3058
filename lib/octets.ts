/**
 * Octets in one piece.
 *
 * @module
 */

const NOTHING: Uint8Array = new Uint8Array(0);

/** All pieces, one behind the other; a piece alone is handed on as it is. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
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
