/**
 * Strict base64 (RFC 4648 section 4): one spelling for each octet string.
 *
 * @module
 */

import * as std from "@std/encoding/base64";

/**
 * What is used of @std/encoding, whose npm build has no type declarations. It
 * decodes "Zh==" too, and throws at characters that are no base64.
 */
interface Codec {
  readonly encodeBase64: (octets: Uint8Array) => string;
  readonly decodeBase64: (text: string) => Uint8Array<ArrayBuffer>;
}

/**
 * An engine that does the same by itself, as Deno's does and Node's from its
 * 25th version on, takes a quarter of the time: a token has thousands of
 * characters, and is decoded with every login.
 */
const engine: Codec = {
  encodeBase64: (octets) => octets.toBase64(),
  decodeBase64: (text) => {
    refuseSpace(text);
    return Uint8Array.fromBase64(text);
  },
};

/** What does the same where @std/encoding cannot: it needs ECMAScript 2024. */
const web: Codec = {
  encodeBase64: (octets) =>
    btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join("")),
  decodeBase64: (text) => {
    refuseSpace(text);
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  },
};

/** Both would leave it out. */
function refuseSpace(text: string): void {
  if (/\s/.test(text)) throw new SyntaxError("white space");
}

const codec: Codec = chosenCodec();

function chosenCodec(): Codec {
  if ("fromBase64" in Uint8Array) return engine;
  // Node 20 has no transfer(): there every login would be none.
  return "transfer" in ArrayBuffer.prototype ? std : web;
}

/** Encodes octets with padding. */
export function encodeBase64(octets: Uint8Array): string {
  return codec.encodeBase64(octets);
}

/**
 * Decodes strict base64.
 *
 * @param text Base64 with its padding and without white space.
 * @returns The octets, or `undefined` for anything that is not the one
 * canonical spelling: other characters, wrong or missing padding, padding bits
 * that are not zero (RFC 4954 section 4 wants all of it refused).
 */
export function decodeBase64(
  text: string,
): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0 || !isCanonicalEnd(text)) return undefined;
  try {
    return codec.decodeBase64(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether the bits that padding fills up are zero. With the length, that is all
 * that a decoder does not look at. To encode again what it has decoded and
 * compare would tell the same, and cost an AUTH session a third more.
 */
function isCanonicalEnd(text: string): boolean {
  if (text.at(-1) !== "=") return true;
  return text.at(-2) === "="
    ? "AQgw".includes(text.at(-3) ?? "=")
    : "AEIMQUYcgkosw048".includes(text.at(-2) ?? "=");
}
