/**
 * Strict base64 (RFC 4648 section 4): one spelling for each octet string.
 *
 * @module
 */

import * as std from "@std/encoding/base64";

// The npm build of @std/encoding has no type declarations: these are they.
const decode: (text: string) => Uint8Array<ArrayBuffer> = std.decodeBase64;
const encode: (octets: Uint8Array) => string = std.encodeBase64;

/**
 * Decodes strict base64.
 *
 * @param text Base64 with its padding and without white space.
 * @returns The octets, or `undefined` for anything that is not the one
 * canonical spelling: other characters, wrong or missing padding, padding bits
 * that are not zero (RFC 4954 section 4 wants all of it refused).
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  try {
    const octets = decode(text);
    // The library takes "Zg", "Zh==" and "=" too; none survives the way back.
    return encode(octets) === text ? octets : undefined;
  } catch {
    return undefined;
  }
}

/** Encodes octets as base64 with padding. */
export function encodeBase64(octets: Uint8Array): string {
  return encode(octets);
}
