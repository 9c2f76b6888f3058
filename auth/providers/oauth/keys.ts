/**
 * An issuer's keys (RFC 7517), and what is signed with them (RFC 7515).
 *
 * @module
 */

import {
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JWK,
} from "jose";
import { parseJSON, withoutNulls } from "../../../lib/json.ts";
import { isObject, type Untrusted } from "../../results.ts";
import { type BadToken, badToken } from "./claims.ts";
import type { IssuerMetadata } from "./discovery.ts";
import { IssuerDocument } from "./document.ts";
import {
  type Fetched,
  fetchJSON,
  type IssuerHttp,
  type Outage,
  outage,
} from "./issuer_http.ts";

/**
 * How a token may be signed: with a key of which only a half is published.
 * Never `none`, and never HS, whose key would be what everybody can read.
 */
const ALGORITHMS: readonly string[] = [
  ...["RS256", "RS384", "RS512"],
  ...["PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512"],
  ...["EdDSA", "Ed25519"],
];

/**
 * How many keys are tried for a token that does not say which is its own:
 * issuers publish the last, the current and the next one, and whoever sends
 * rubbish must not cost more.
 */
const MAX_TRIED_KEYS = 8;

/** What a header may say that its token is; many issuers say nothing. */
const TYPES = /^(?:application\/)?(?:at\+)?jwt$/i;

/** The keys that an issuer publishes. */
export type KeySet = ReturnType<typeof createLocalJWKSet>;

/** The keys of an issuer, wherever its metadata say that they are. */
export function newKeys(
  http: IssuerHttp,
  metadata: IssuerDocument<IssuerMetadata>,
  now: () => number,
): IssuerDocument<KeySet> {
  const fetch = async () => {
    const known = await metadata.member(({ jwksUri }) => jwksUri);
    if (known.kind === "outage") return known;
    const { value: url } = known;
    if (url === undefined) {
      return outage("backend-answer", "discovery: jwks_uri");
    }
    const fetched = await fetchJSON(http, { what: "keys", url });
    return fetched.kind === "fetched" ? readKeys(fetched.value) : fetched;
  };
  return new IssuerDocument({ fetch, now });
}

/** No key at all is no answer: it would make every token a bad one. */
function readKeys({ keys }: Untrusted): Fetched<KeySet> {
  const known = Array.isArray(keys) ? keys.map(publishedKey).filter(isKey) : [];
  return known.length === 0
    ? outage("backend-answer", "keys: there are none")
    : { kind: "fetched", value: createLocalJWKSet({ keys: known }) };
}

/**
 * A key without what says nothing and keeps jose from it: members that are null,
 * and a list of operations that is empty, as .NET writes them, or that has
 * `verify` in it among others.
 */
function publishedKey(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { key_ops: operations, ...others } = withoutNulls(value);
  const isForVerifying = operations === undefined ||
    Array.isArray(operations) &&
      (operations.length === 0 || operations.includes("verify"));
  return isForVerifying ? others : { ...others, key_ops: operations };
}

function isKey(value: unknown): value is JWK {
  return isObject(value) && typeof value.kty === "string";
}

/** The header of a token that is signed; `undefined` if it is no such thing. */
export function headerOf(token: string): Untrusted | undefined {
  if (token.split(".").length !== 3) return undefined;
  try {
    return { ...decodeProtectedHeader(token) };
  } catch {
    return undefined;
  }
}

/** Claims that an issuer has signed. */
export interface Signed {
  readonly kind: "signed";
  readonly claims: Untrusted;
}

/** Finds out whether a token has been signed with one of an issuer's keys. */
export async function verify(
  token: string,
  { typ, crit }: Untrusted,
  keys: IssuerDocument<KeySet>,
  signal: AbortSignal | undefined,
): Promise<Signed | BadToken | Outage> {
  if (typ !== undefined && !(typeof typ === "string" && TYPES.test(typ))) {
    return badToken("token-kind", "typ");
  }
  if (crit !== undefined) return badToken("token-malformed", "crit");
  const known = await keys.get(signal);
  if (known.kind === "outage") return known;
  const verified = await verifyWith(known.value, token);
  if (!blamesKeys(verified)) return verified;
  const newer = await keys.newer(known.value, signal);
  if (newer.kind === "outage") return newer;
  return newer.value === known.value
    ? verified
    : await verifyWith(newer.value, token);
}

/** Whether newer keys may say otherwise: the issuer may have mended them. */
function blamesKeys(verified: Signed | BadToken | Outage): boolean {
  return verified.kind === "outage" ||
    verified.kind === "bad" && verified.reason === "token-key";
}

async function verifyWith(
  keys: KeySet | CryptoKey,
  token: string,
): Promise<Signed | BadToken | Outage> {
  try {
    const options = { algorithms: [...ALGORITHMS] };
    const { payload } = typeof keys === "function"
      ? await compactVerify(token, keys, options)
      : await compactVerify(token, keys, options);
    const claims = parseClaims(payload);
    return claims === undefined
      ? badToken("token-malformed", "claims")
      : { kind: "signed", claims };
  } catch (error) {
    return error instanceof errors.JWKSMultipleMatchingKeys
      ? await verifyWithAny(error, token)
      : faultOf(error);
  }
}

/**
 * A token that names no key while there are several of its kind, as in the days
 * of a rotation: `kid` is optional (RFC 7515 section 4.1.4), and each of the keys
 * is the issuer's.
 */
async function verifyWithAny(
  keys: AsyncIterable<CryptoKey>,
  token: string,
): Promise<Signed | BadToken | Outage> {
  let tried = 0;
  for await (const key of keys) {
    const verified = await verifyWith(key, token);
    const isOthers = verified.kind === "outage" ||
      verified.kind === "bad" && verified.reason === "token-signature";
    if (!isOthers) return verified;
    if (++tried === MAX_TRIED_KEYS) break;
  }
  return badToken("token-key", "none of several keys");
}

function parseClaims(payload: Uint8Array): Untrusted | undefined {
  const claims = parseJSON(payload);
  return isObject(claims) ? claims : undefined;
}

/** What jose has found: a fault of the token's, or one of the keys'. */
function faultOf(error: unknown): BadToken | Outage {
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return badToken("token-signature", "alg");
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return badToken("token-signature");
  }
  if (error instanceof errors.JWSInvalid) return badToken("token-malformed");
  if (error instanceof errors.JWKSNoMatchingKey) return badToken("token-key");
  return outage("backend-answer", "keys: the token's cannot be used");
}
