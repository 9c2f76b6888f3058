/**
 * `$scrypt$`: scrypt (RFC 7914) in PHC's format, as Passlib and Node write it.
 *
 * @module
 */

import { decodeUnpadded } from "./phc.ts";

/** The most memory, in octets: 1 GiB for each of the few logins under way. */
const MAX_MEMORY = 1_073_741_824;

/** The least tag that is taken, in octets: shorter ones are guessed. */
const MIN_TAG_OCTETS = 16;

/** The most lanes, computed one after the other. */
const MAX_LANES = 64;

/** A hash of this kind. */
export interface ScryptHash {
  readonly kind: "scrypt";
  /** The cost: a power of two. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** Reads a hash; a text says which limit it breaks, `undefined` that it is no whole one. */
export function parseScrypt(text: string): ScryptHash | string | undefined {
  const [, ln, r, p, salted = "", tagged = ""] =
    /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([^$]+)\$([^$]+)$/
      .exec(text) ?? [];
  const salt = decodeUnpadded(salted);
  const tag = decodeUnpadded(tagged);
  if (
    ln === undefined || salt === undefined || tag === undefined ||
    tag.length < MIN_TAG_OCTETS
  ) {
    return undefined;
  }
  const hash = { n: 2 ** Number(ln), r: Number(r), p: Number(p), salt, tag };
  return hash.n >= 2 && hash.r >= 1 && hash.p >= 1 && hash.p <= MAX_LANES &&
      memoryOf(hash) <= MAX_MEMORY
    ? { kind: "scrypt", ...hash }
    : `the hash's ln, r and p must be from 1, p at most ${MAX_LANES}, and its memory at most ${MAX_MEMORY} octets`;
}

/** How much memory a hash takes, in octets. */
export function memoryOf({ n, r }: Pick<ScryptHash, "n" | "r">): number {
  return 128 * n * r;
}
