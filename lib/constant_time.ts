/**
 * Comparing secrets without telling how much of a guess is right.
 *
 * @module
 */

const encoder = new TextEncoder();

/**
 * Whether two texts are the same, in a time that does not depend on how much
 * of the guess is right.
 */
export function isSameSecret(guess: string, secret: string): boolean {
  const guessed = encoder.encode(guess);
  const right = encoder.encode(secret);
  let difference = guessed.length ^ right.length;
  for (let i = 0, at = 0; i < guessed.length; i++) {
    difference |= (guessed[i] ?? 0) ^ (right[at] ?? 0);
    at = at + 1 >= right.length ? 0 : at + 1;
  }
  return difference === 0;
}
