/**
 * Names for connections, that tell one from every other.
 *
 * @module
 */

/** 64 bits in base 36 have at most so many digits. */
const PREFIX_DIGITS = 13;

let prefix: string | undefined;
let connections = 0;

/**
 * Makes an id for a connection, in digits and small letters: a random number of
 * the process, then one that counts. Ids stand in mail and in logs that outlive
 * the process, so no two processes may have the same: with 64 bits, a million
 * starts have one chance in thirty million.
 *
 * @returns An id that no connection has had before.
 */
export function newConnectionId(): string {
  prefix ??= newPrefix();
  return `${prefix}${(connections++).toString(36)}`;
}

/** Not at import time: some platforms have no randomness then. */
function newPrefix(): string {
  const [random = 0n] = crypto.getRandomValues(new BigUint64Array(1));
  return random.toString(36).padStart(PREFIX_DIGITS, "0");
}
