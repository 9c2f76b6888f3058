/**
 * `{SSHA}`, `{SHA}` and their longer relatives: one SHA over password and
 * salt, as directories keep it. By WebCrypto.
 *
 * @module
 */

import { isSameOctets } from "../../../lib/constant_time.ts";
import { decodeBase64 } from "../../../lib/base64.ts";

/** A hash of this kind. */
export interface DigestHash {
  readonly kind: "digest";
  readonly algorithm: "SHA-1" | "SHA-256" | "SHA-512";
  /** Empty where there is none. */
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

/** How many octets each algorithm makes. */
const OCTETS: Readonly<Record<DigestHash["algorithm"], number>> = {
  "SHA-1": 20,
  "SHA-256": 32,
  "SHA-512": 64,
};

/** Reads what stands behind the scheme's name; `undefined` if it is no whole hash. */
export function parseDigest(
  algorithm: DigestHash["algorithm"],
  salted: boolean,
  text: string,
): DigestHash | undefined {
  const octets = decodeBase64(text);
  const size = OCTETS[algorithm];
  if (
    octets === undefined || octets.length < size ||
    salted !== octets.length > size
  ) {
    return undefined;
  }
  const [tag, salt] = [octets.subarray(0, size), octets.subarray(size)];
  return { kind: "digest", algorithm, salt, tag };
}

/** Whether a password has this hash. */
export async function matchesDigest(
  { algorithm, salt, tag }: DigestHash,
  password: Uint8Array,
): Promise<boolean> {
  const text = Uint8Array.of(...password, ...salt);
  return isSameOctets(
    new Uint8Array(await crypto.subtle.digest(algorithm, text)),
    tag,
  );
}
