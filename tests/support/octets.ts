/**
 * Octets and base64 for tests, made without the code under test.
 *
 * @module
 */

const encoder = new TextEncoder();

/** A text as UTF-8, or octets as they are. */
export function octetsOf(content: string | readonly number[]): Uint8Array {
  return typeof content === "string"
    ? encoder.encode(content)
    : Uint8Array.from(content);
}

/** Parts, each a text or octets, one after another. */
export function joinOctets(
  ...parts: readonly (string | readonly number[])[]
): number[] {
  return parts.flatMap((part) => [...octetsOf(part)]);
}

/** Base64 of a text's UTF-8 or of octets. */
export function base64(
  content: string | readonly number[] | Uint8Array,
): string {
  const octets = content instanceof Uint8Array ? content : octetsOf(content);
  return btoa(Array.from(octets, (o) => String.fromCharCode(o)).join(""));
}
