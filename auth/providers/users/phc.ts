/**
 * What hashes in PHC's string format share: base64 without padding.
 *
 * @module
 */

import { decodeBase64 } from "../../sasl/base64.ts";

/** Decodes base64 without padding; `undefined` if it is not that. */
export function decodeUnpadded(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  if (text.includes("=")) return undefined;
  const octets = decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="));
  return octets && Uint8Array.from(octets);
}

/** Encodes octets in base64 without padding. */
export function encodeUnpadded(octets: Uint8Array): string {
  return btoa(String.fromCharCode(...octets)).replace(/=+$/, "");
}
