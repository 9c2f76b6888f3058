/**
 * `$apr1$` and `$1$`: Apache's and crypt(3)'s thousand rounds of MD5. They
 * differ in their first characters only.
 *
 * @module
 */

import { crypt64, type Digest, repeated } from "./crypt64.ts";

const ROUNDS = 1_000;

/** A hash of this kind. */
export interface Md5CryptHash {
  readonly kind: "md5-crypt";
  readonly magic: string;
  readonly salt: string;
  readonly tag: string;
}

/** Reads a hash; `undefined` if it is no whole one. */
export function parseMd5Crypt(text: string): Md5CryptHash | undefined {
  const [, magic, salt = "", tag = ""] =
    /^(\$(?:apr1|1)\$)([^$]{0,8})\$([./0-9A-Za-z]{22})$/.exec(text) ?? [];
  return magic === undefined
    ? undefined
    : { kind: "md5-crypt", magic, salt, tag };
}

/** The tag that a password has with the hash's salt. */
export function md5CryptTag(
  hash: Md5CryptHash,
  password: Uint8Array,
  digest: Digest,
): string {
  const encoder = new TextEncoder();
  const salt = encoder.encode(hash.salt);
  const other = digest(password, salt, password);
  const parts = [password, encoder.encode(hash.magic), salt];
  parts.push(repeated(other, password.length));
  for (let length = password.length; length > 0; length >>>= 1) {
    parts.push(length % 2 === 1 ? Uint8Array.of(0) : password.subarray(0, 1));
  }
  let result = digest(...parts);
  for (let round = 0; round < ROUNDS; round++) {
    const odd = round % 2 === 1;
    const next = [odd ? password : result];
    if (round % 3 !== 0) next.push(salt);
    if (round % 7 !== 0) next.push(password);
    next.push(odd ? result : password);
    result = digest(...next);
  }
  return textOf(result);
}

function textOf(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < 5; i++) {
    const last = octets[i === 4 ? 5 : i + 12] ?? 0;
    text += crypt64(octets[i] ?? 0, octets[i + 6] ?? 0, last, 4);
  }
  return text + crypt64(0, 0, octets[11] ?? 0, 2);
}
