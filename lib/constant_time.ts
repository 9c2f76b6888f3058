/**
 * Comparing secrets without telling how much of a guess is right.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A secret in a buffer whose size need not tell its length. */
export interface PaddedSecret {
  /** Its octets, and zeros behind them. */
  readonly octets: Uint8Array;
  /** How many of the octets are the secret's. */
  readonly length: number;
}

/**
 * Readies a secret to be compared with.
 *
 * @param size How many octets the buffer has at least: as many as the longest
 * of all secrets that must not be told apart.
 */
export function padSecret(secret: string, size = 1): PaddedSecret {
  const own = encoder.encode(secret);
  const octets = new Uint8Array(Math.max(size, own.length));
  octets.set(own);
  return { octets, length: own.length };
}

/** A secret that no guess is, for where there is none to compare with. */
export function noSecret(size = 1): PaddedSecret {
  return { octets: new Uint8Array(size), length: -1 };
}

/**
 * Whether a guess is the secret, in a time that depends on the guess and on the
 * buffer's size only.
 */
export function isSameSecret(guess: string, secret: PaddedSecret): boolean {
  return isSameOctets(encoder.encode(guess), secret.octets, secret.length);
}

/**
 * The same for octets.
 *
 * @param octets A buffer of at least one octet.
 * @param length How many of its octets count.
 */
export function isSameOctets(
  guess: Uint8Array,
  octets: Uint8Array,
  length: number = octets.length,
): boolean {
  let difference = length ^ guess.length;
  for (let i = 0, at = 0; i < guess.length; i++) {
    difference |= (guess[i] ?? 0) ^ (octets[at] ?? 0);
    at = at + 1 === octets.length ? 0 : at + 1;
  }
  return difference === 0;
}
