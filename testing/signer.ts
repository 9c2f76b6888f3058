/**
 * Keys and signatures of an issuer (RFC 7515, 7517, 7518, 8037), with nothing
 * but WebCrypto: what checks them is somebody else's.
 *
 * @module
 */

/**
 * How a {@linkcode SigningKey} signs.
 *
 * @category Testing
 */
export type SigningAlgorithm = "RS256" | "PS256" | "ES256" | "EdDSA";

/** What WebCrypto calls them, to make a key and to sign. */
const ALGORITHMS: Readonly<
  Record<SigningAlgorithm, RsaHashedKeyGenParams | EcKeyGenParams | Algorithm>
> = {
  RS256: rsa("RSASSA-PKCS1-v1_5"),
  PS256: rsa("RSA-PSS"),
  ES256: { name: "ECDSA", namedCurve: "P-256" },
  EdDSA: { name: "Ed25519" },
};

function rsa(name: string): RsaHashedKeyGenParams {
  const publicExponent = new Uint8Array([1, 0, 1]);
  return { name, modulusLength: 2048, publicExponent, hash: "SHA-256" };
}

/**
 * A key that signs, and the half of it that is published.
 *
 * @category Testing
 */
export interface SigningKey {
  /** How it signs. */
  readonly alg: SigningAlgorithm;
  /** What it is called. */
  readonly kid: string;
  /** What stands in the key set: the members of a JWK (RFC 7517). */
  readonly jwk: Readonly<Record<string, string>> & { readonly kid: string };
  /** Signs octets. */
  readonly sign: (octets: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
}

/** Makes a key. */
export async function newSigningKey(
  alg: SigningAlgorithm,
  kid: string,
): Promise<SigningKey> {
  const pair = await crypto.subtle.generateKey(ALGORITHMS[alg], true, [
    "sign",
    "verify",
  ]);
  if (!("privateKey" in pair)) throw new TypeError(`${alg} makes no pair`);
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const { name } = ALGORITHMS[alg];
  const params = { name, hash: "SHA-256", saltLength: 32 };
  return {
    alg,
    kid,
    jwk: { ...publicHalf(jwk), kid, alg, use: "sig" },
    sign: async (octets) =>
      new Uint8Array(await crypto.subtle.sign(params, pair.privateKey, octets)),
  };
}

function publicHalf(jwk: object): Record<string, string> {
  const half: Record<string, string> = {};
  for (const [name, value] of Object.entries(jwk)) {
    if (PUBLIC_MEMBERS.has(name)) half[name] = String(value);
  }
  return half;
}

/** What a public key consists of (RFC 7518 section 6, RFC 8037 section 2). */
const PUBLIC_MEMBERS: ReadonlySet<string> = new Set(
  ["kty", "crv", "x", "y", "n", "e"],
);

const encoder = new TextEncoder();

/**
 * Writes a JWS in its compact form.
 *
 * @param sign Signs the first two parts.
 */
export async function writeJws(
  header: object,
  payload: unknown,
  sign: (octets: Uint8Array<ArrayBuffer>) => Promise<Uint8Array> | Uint8Array,
): Promise<string> {
  const parts = [header, payload].map((part) => JSON.stringify(part))
    .map((text) => base64url(encoder.encode(text)));
  const input = parts.join(".");
  return `${input}.${base64url(await sign(encoder.encode(input)))}`;
}

/** Signs as HS256 does, with a text as the key. */
export async function hmac(
  key: string,
  octets: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const secret = await crypto.subtle.importKey(
    "raw",
    encoder.encode(key),
    algorithm,
    false,
    ["sign"],
  );
  return new Uint8Array(await crypto.subtle.sign("HMAC", secret, octets));
}

/** Encodes as tokens do: another alphabet, and no padding. */
export function base64url(octets: Uint8Array): string {
  // Node 22 has no toBase64().
  return btoa(String.fromCharCode(...octets)).replaceAll("+", "-")
    .replaceAll("/", "_").replaceAll("=", "");
}
