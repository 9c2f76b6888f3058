/**
 * `$argon2id$`, and Dovecot's `$argon2i$`: Argon2 (RFC 9106) by WebCrypto,
 * which computes it beside the event loop.
 *
 * @module
 */

import { isSameOctets } from "../../../lib/constant_time.ts";
import { decodeUnpadded, encodeUnpadded } from "./phc.ts";

/** The most memory, in KiB: 1 GiB for each of the few logins under way. */
const MAX_MEMORY = 1_048_576;

/** The most passes over the memory. */
const MAX_PASSES = 64;

/** The most lanes. WebCrypto computes them one after the other. */
const MAX_LANES = 64;

/** WebCrypto's least salt, in octets (RFC 9106 section 3.1). */
const MIN_SALT_OCTETS = 8;

/** The least tag that is taken, in octets: shorter ones are guessed. */
const MIN_TAG_OCTETS = 16;

/** OWASP's first choice for logins: 19 MiB, two passes, one lane. */
const NEW: Omit<Argon2Hash, "salt" | "tag"> = {
  kind: "argon2",
  name: "Argon2id",
  memory: 19_456,
  passes: 2,
  parallelism: 1,
};

/** A hash of this kind. */
export interface Argon2Hash {
  readonly kind: "argon2";
  readonly name: "Argon2id" | "Argon2i";
  /** In KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly tag: Uint8Array<ArrayBuffer>;
}

/** Whether this runtime can compute it: Node before 24.7 and Bun cannot. */
export function hasArgon2(): boolean {
  const supports: unknown = Reflect.get(SubtleCrypto, "supports");
  return typeof supports === "function" &&
    Reflect.apply(supports, SubtleCrypto, ["importKey", NEW.name]) === true;
}

/** Reads a hash; a text says which limit it breaks, `undefined` that it is no whole one. */
export function parseArgon2(text: string): Argon2Hash | string | undefined {
  const [, variant, m, t, p, salted = "", tagged = ""] =
    /^\$argon2(id?)\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([^$]+)\$([^$]+)$/
      .exec(text) ?? [];
  const salt = decodeUnpadded(salted);
  const tag = decodeUnpadded(tagged);
  if (variant === undefined || salt === undefined || tag === undefined) {
    return undefined;
  }
  if (salt.length < MIN_SALT_OCTETS || tag.length < MIN_TAG_OCTETS) {
    return `the hash needs ${MIN_SALT_OCTETS} octets of salt and ${MIN_TAG_OCTETS} of its own`;
  }
  const [memory, passes, parallelism] = [Number(m), Number(t), Number(p)];
  if (
    !within(parallelism, 1, MAX_LANES) || !within(passes, 1, MAX_PASSES) ||
    !within(memory, 8 * parallelism, MAX_MEMORY)
  ) {
    return `the hash's m must be from 8 for each lane to ${MAX_MEMORY}, t to ${MAX_PASSES}, p to ${MAX_LANES}`;
  }
  const name = variant === "id" ? "Argon2id" : "Argon2i";
  return { kind: "argon2", name, memory, passes, parallelism, salt, tag };
}

/** Whether a password has this hash. */
export async function matchesArgon2(
  hash: Argon2Hash,
  password: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  return isSameOctets(await tagOf(hash, password, hash.tag.length), hash.tag);
}

/** Hashes a password with a salt of its own, as a line of a users file wants it. */
export async function hashArgon2(
  password: Uint8Array<ArrayBuffer>,
): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const tag = await tagOf({ ...NEW, salt }, password, 32);
  const { memory, passes, parallelism } = NEW;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$` +
    `${encodeUnpadded(salt)}$${encodeUnpadded(tag)}`;
}

async function tagOf(
  { name, memory, passes, parallelism, salt }: Omit<Argon2Hash, "tag">,
  password: Uint8Array<ArrayBuffer>,
  length: number,
): Promise<Uint8Array> {
  const key = await importSecret(password, name);
  const how = { name, nonce: salt, memory, passes, parallelism };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 8 * length));
}

/** `importKey()` with a format of key that is newer than its types. */
const importSecret: (
  secret: Uint8Array,
  algorithm: Argon2Hash["name"],
) => Promise<CryptoKey> = (secret, algorithm) =>
  Reflect.apply(crypto.subtle.importKey, crypto.subtle, [
    "raw-secret",
    secret,
    algorithm,
    false,
    ["deriveBits"],
  ]);

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
