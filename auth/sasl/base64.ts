/**
 * Strict base64 (RFC 4648 section 4): one spelling for each octet string.
 *
 * @module
 */

/**
 * Decodes strict base64.
 *
 * @param text Base64 with its padding and without white space.
 * @returns The octets, or `undefined` for anything that is not the one
 * canonical spelling: other characters, wrong or missing padding, padding bits
 * that are not zero (RFC 4954 section 4 wants all of it refused).
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  // atob() takes "Zg", "Zh==" and "Z g==" too; none survives the way back.
  if (btoa(binary) !== text) return undefined;
  const octets = new Uint8Array(binary.length);
  for (let i = 0; i < octets.length; i++) octets[i] = binary.charCodeAt(i);
  return octets;
}
