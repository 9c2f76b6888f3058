/**
 * Finding a secret in a text that somebody else has written.
 *
 * @module
 */

import { encodeBase64 } from "./base64.ts";
import { concat } from "./octets.ts";

const encoder = new TextEncoder();

/** Whether a text repeats a secret, as it is or in a usual disguise. */
export function repeatsSecret(text: string, secret: string): boolean {
  return disguises(secret.toWellFormed())
    .some((form) => form !== "" && text.includes(form));
}

function disguises(secret: string): string[] {
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    ...[0, 1, 2].map((before) => base64Inside(secret, before)),
  ];
}

/** The characters of base64 that are a text's own, behind so many octets. */
function base64Inside(text: string, before: number): string {
  const octets = concat([new Uint8Array(before), encoder.encode(text)]);
  return encodeBase64(octets).slice(
    Math.ceil(before * 8 / 6),
    Math.floor(octets.length * 8 / 6),
  );
}
