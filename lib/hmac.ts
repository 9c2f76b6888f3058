/**
 * Secrets turned into what is safe to keep: HMAC-SHA-256 under a random key.
 *
 * A hash that runs at once would be faster than WebCrypto, which takes some
 * ten microseconds and a turn of the event loop. But the platform has no other
 * keyed hash, one of our own would not run in constant time, and both users of
 * this page call it where a back end has been asked or is spared.
 *
 * @module
 */

/** How long a key is, in octets: as long as the hash (RFC 2104 section 3). */
export const KEY_OCTETS = 32;

/** Makes a key that no one else knows. */
export function newSecret(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(KEY_OCTETS));
}

/** Readies a key for {@linkcode keyedHash}. */
export function importSecret(secret: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "raw",
    Uint8Array.from(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
}

/** The 32 octets of HMAC-SHA-256 over the texts. */
export async function keyedHash(
  key: CryptoKey,
  texts: readonly string[],
): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, framed(texts)));
}

const encoder = new TextEncoder();

/**
 * Texts as octets from which no other texts can come: each behind its length.
 * Joined without, `ann` with `xy` and `annx` with `y` are one.
 */
function framed(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  // No character takes more than three octets for each of its UTF-16 units.
  const most = texts.reduce((sum, { length }) => sum + 5 + 3 * length, 0);
  const octets = new Uint8Array(most);
  const view = new DataView(octets.buffer);
  let at = 0;
  for (const text of texts) {
    const size = writeText(text, octets.subarray(at + 4));
    view.setUint32(at, size);
    at += 4 + size;
  }
  return octets.subarray(0, at);
}

/**
 * UTF-8, which an engine writes at once: a token has thousands of characters.
 * But it makes the same octets of all lone surrogates. Such texts are UTF-16,
 * behind an octet that begins no UTF-8, in one byte order, because machines
 * share keys.
 *
 * @returns How many octets it takes.
 */
function writeText(text: string, into: Uint8Array<ArrayBuffer>): number {
  if (text.isWellFormed()) return encoder.encodeInto(text, into).written;
  const view = new DataView(into.buffer, into.byteOffset);
  view.setUint8(0, 0xff);
  for (let unit = 0; unit < text.length; unit++) {
    view.setUint16(1 + 2 * unit, text.charCodeAt(unit));
  }
  return 1 + 2 * text.length;
}
