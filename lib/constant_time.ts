/**
 * Comparing secrets without telling how much of a guess is right.
 *
 * @module
 */

/** A secret in a buffer whose size need not tell its length. */
export interface PaddedSecret {
  /** Its UTF-16 code units, and zeros behind them. */
  readonly units: Uint16Array;
  /** How many of the units are the secret's. */
  readonly length: number;
}

/**
 * Readies a secret to be compared with.
 *
 * @param size How many code units the buffer has at least: as many as the
 * longest of all secrets that must not be told apart.
 */
export function padSecret(secret: string, size = 1): PaddedSecret {
  const units = new Uint16Array(Math.max(size, secret.length));
  for (let i = 0; i < secret.length; i++) units[i] = secret.charCodeAt(i);
  return { units, length: secret.length };
}

/** A secret that no guess is, for where there is none to compare with. */
export function noSecret(size = 1): PaddedSecret {
  return { units: new Uint16Array(size), length: -1 };
}

/**
 * Whether a guess is the secret, in a time that depends on the guess and on the
 * buffer's size only. Text is compared as it is: octets of it would be one more
 * copy of each password.
 */
export function isSameSecret(
  guess: string,
  { units, length }: PaddedSecret,
): boolean {
  let difference = length ^ guess.length;
  for (let i = 0, at = 0; i < guess.length; i++) {
    difference |= guess.charCodeAt(i) ^ (units[at] ?? 0);
    at = at + 1 === units.length ? 0 : at + 1;
  }
  return difference === 0;
}

/**
 * The same for octets.
 *
 * @param octets A buffer of at least one octet.
 */
export function isSameOctets(guess: Uint8Array, octets: Uint8Array): boolean {
  let difference = octets.length ^ guess.length;
  for (let i = 0, at = 0; i < guess.length; i++) {
    difference |= (guess[i] ?? 0) ^ (octets[at] ?? 0);
    at = at + 1 === octets.length ? 0 : at + 1;
  }
  return difference === 0;
}
