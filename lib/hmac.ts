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
 * Joined without, `ann` with `xy` and `annx` with `y` are one. An engine writes
 * UTF-8 at once, and a token has thousands of characters; but it makes the same
 * octets of all lone surrogates, and JSON does not. It begins with no digit.
 */
function framed(texts: readonly string[]): Uint8Array<ArrayBuffer> {
  let framed = "";
  for (const text of texts) framed += `${text.length} ${text}`;
  return encoder.encode(
    framed.isWellFormed() ? framed : JSON.stringify(texts),
  );
}
