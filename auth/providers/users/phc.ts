/**
 * What hashes in PHC's string format share: base64 without padding.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../../../lib/base64.ts";

/** Decodes base64 without padding; `undefined` if it is not that. */
export function decodeUnpadded(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  if (text.includes("=")) return undefined;
  return decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="));
}

/** Encodes octets in base64 without padding. */
export function encodeUnpadded(octets: Uint8Array): string {
  return encodeBase64(octets).replace(/=+$/, "");
}
