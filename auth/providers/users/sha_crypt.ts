/**
 * `$6$` and `$5$`: crypt(3) with SHA-512 and SHA-256, as in /etc/shadow.
 * Specification: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", 0.6.
 *
 * @module
 */

import { crypt64, type Digest, repeated } from "./crypt64.ts";

/** How many rounds there are where the hash does not say. */
const DEFAULT_ROUNDS = 5_000;

/** The fewest that the specification has. */
const MIN_ROUNDS = 1_000;

/**
 * The most that are taken: some ten seconds. The specification allows 999
 * million, an hour or more for each login.
 */
const MAX_ROUNDS = 1_000_000;

/** A hash of this kind. */
export interface ShaCryptHash {
  readonly kind: "sha-crypt";
  readonly algorithm: "sha256" | "sha512";
  readonly rounds: number;
  readonly salt: string;
  readonly tag: string;
}

/** Reads a hash; a text says which limit it breaks, `undefined` that it is no whole one. */
export function parseShaCrypt(text: string): ShaCryptHash | string | undefined {
  const [, id, rounds, salt = "", tag = ""] =
    /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$]{0,16})\$([./0-9A-Za-z]*)$/
      .exec(text) ?? [];
  const algorithm = id === "6" ? "sha512" : "sha256";
  if (id === undefined || tag.length !== (id === "6" ? 86 : 43)) {
    return undefined;
  }
  const count = rounds === undefined ? DEFAULT_ROUNDS : Number(rounds);
  if (count < MIN_ROUNDS || count > MAX_ROUNDS) {
    return `the hash's rounds must be from ${MIN_ROUNDS} to ${MAX_ROUNDS}: got ${count}`;
  }
  return { kind: "sha-crypt", algorithm, rounds: count, salt, tag };
}

/** The tag that a password has with the hash's salt and rounds. */
export function shaCryptTag(
  hash: ShaCryptHash,
  password: Uint8Array,
  digest: Digest,
): string {
  const salt = new TextEncoder().encode(hash.salt);
  let result = firstDigest(password, salt, digest);
  const p = repeated(
    digest(...Array(password.length).fill(password)),
    password.length,
  );
  const s = repeated(
    digest(...Array(16 + (result[0] ?? 0)).fill(salt)),
    salt.length,
  );
  for (let round = 0; round < hash.rounds; round++) {
    const odd = round % 2 === 1;
    const parts = [odd ? p : result];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(odd ? result : p);
    result = digest(...parts);
  }
  return hash.algorithm === "sha512" ? text512(result) : text256(result);
}

/** Steps 1 to 12 of the specification. */
function firstDigest(
  password: Uint8Array,
  salt: Uint8Array,
  digest: Digest,
): Uint8Array {
  const other = digest(password, salt, password);
  const parts = [password, salt, repeated(other, password.length)];
  for (let length = password.length; length > 0; length >>>= 1) {
    parts.push(length % 2 === 1 ? other : password);
  }
  return digest(...parts);
}

/** Step 22, for SHA-512: the octets in their odd order. */
function text512(octets: Uint8Array): string {
  let text = "";
  for (let i = 0, at = [0, 21, 42]; i < 21; i++) {
    const [a = 0, b = 0, c = 0] = at;
    text += crypt64(octets[a] ?? 0, octets[b] ?? 0, octets[c] ?? 0, 4);
    at = [b + 1, c + 1, a + 1];
  }
  return text + crypt64(0, 0, octets[63] ?? 0, 2);
}

/** Step 22, for SHA-256. */
function text256(octets: Uint8Array): string {
  let text = "";
  for (let i = 0, at = [0, 10, 20]; i < 10; i++) {
    const [a = 0, b = 0, c = 0] = at;
    text += crypt64(octets[a] ?? 0, octets[b] ?? 0, octets[c] ?? 0, 4);
    at = [c + 1, a + 1, b + 1];
  }
  return text + crypt64(0, octets[31] ?? 0, octets[30] ?? 0, 3);
}
