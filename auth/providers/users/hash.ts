/**
 * A hashed password as it stands in a users file, of any kind that is known.
 *
 * @module
 */

import { type Argon2Hash, parseArgon2 } from "./argon2.ts";
import { type BcryptHash, parseBcrypt } from "./bcrypt.ts";
import { type DigestHash, parseDigest } from "./digest.ts";
import { type Md5CryptHash, parseMd5Crypt } from "./md5_crypt.ts";
import { parseScrypt, type ScryptHash } from "./scrypt.ts";
import { parseShaCrypt, type ShaCryptHash } from "./sha_crypt.ts";

/** A password that is none: as it is. */
export interface PlainHash {
  readonly kind: "plain";
  readonly password: string;
}

/** A hash that is computed beside the event loop, or in no time. */
export type QuickHash = Argon2Hash | DigestHash | PlainHash;

/** A hash that would hold up the event loop: it is computed in a Worker. */
export type SlowHash = BcryptHash | Md5CryptHash | ScryptHash | ShaCryptHash;

/** What a users file may hold of a password. */
export type PasswordHash = QuickHash | SlowHash;

/** Whether a hash is computed in a Worker. */
export function isSlow(hash: PasswordHash): hash is SlowHash {
  return hash.kind !== "argon2" && hash.kind !== "digest" &&
    hash.kind !== "plain";
}

/** Whether whoever reads the file has the password, or soon guesses it. */
export function isWeak(hash: PasswordHash): boolean {
  return hash.kind === "plain" || hash.kind === "md5-crypt" ||
    hash.kind === "digest" && hash.salt.length === 0;
}

/** What hashes that cost the same have in common. */
export function costOf(hash: PasswordHash): string {
  switch (hash.kind) {
    case "argon2":
      return `${hash.name} ${hash.memory} ${hash.passes} ${hash.parallelism}`;
    case "bcrypt":
      return `bcrypt ${hash.cost}`;
    case "digest":
      return hash.algorithm;
    case "md5-crypt":
    case "plain":
      return hash.kind;
    case "scrypt":
      return `scrypt ${hash.n} ${hash.r} ${hash.p}`;
    case "sha-crypt":
      return `${hash.algorithm} ${hash.rounds}`;
    default:
      return hash satisfies never;
  }
}

/** What a hash begins with in a file: how an operator knows its kind. */
export function schemeOf(hash: PasswordHash): string {
  switch (hash.kind) {
    case "argon2":
      return `$${hash.name.toLowerCase()}$`;
    case "bcrypt":
      return hash.text.slice(0, 4);
    case "digest": {
      const name = hash.algorithm === "SHA-1"
        ? "SHA"
        : hash.algorithm.replace("-", "");
      return hash.salt.length === 0 ? `{${name}}` : `{S${name}}`;
    }
    case "md5-crypt":
      return hash.magic;
    case "plain":
      return "{PLAIN}";
    case "scrypt":
      return "$scrypt$";
    case "sha-crypt":
      return hash.algorithm === "sha512" ? "$6$" : "$5$";
    default:
      return hash satisfies never;
  }
}

type Parse = (text: string) => PasswordHash | string | undefined;

/** By what stands between the first two dollars, as in /etc/shadow. */
const BY_ID: Readonly<Record<string, Parse>> = {
  "argon2id": parseArgon2,
  "argon2i": parseArgon2,
  "2y": parseBcrypt,
  "2b": parseBcrypt,
  "2a": parseBcrypt,
  "6": parseShaCrypt,
  "5": parseShaCrypt,
  "scrypt": parseScrypt,
  "apr1": parseMd5Crypt,
  "1": parseMd5Crypt,
};

/** Hashes that one may well have, and that nothing here can compute. */
const REFUSED_IDS: Readonly<Record<string, string>> = {
  "y": "yescrypt ($y$)",
  "gy": "gost-yescrypt ($gy$)",
  "7": "scrypt as crypt(3) writes it ($7$)",
  "argon2d": "Argon2d",
  "2x": "the broken bcrypt ($2x$)",
  "md5": "SunMD5 ($md5$)",
  "sha1": "SHA-1-crypt ($sha1$)",
  "3": "the NT hash ($3$)",
};

/** By the name in braces, as Dovecot writes it; in upper case. */
const BY_NAME: Readonly<Record<string, Parse>> = {
  "ARGON2ID": parseCrypt,
  "ARGON2I": parseCrypt,
  "BLF-CRYPT": parseCrypt,
  "SHA512-CRYPT": parseCrypt,
  "SHA256-CRYPT": parseCrypt,
  "MD5-CRYPT": parseCrypt,
  "CRYPT": parseCrypt,
  "SSHA": (text) => parseDigest("SHA-1", true, text),
  "SSHA256": (text) => parseDigest("SHA-256", true, text),
  "SSHA512": (text) => parseDigest("SHA-512", true, text),
  "SHA": (text) => parseDigest("SHA-1", false, text),
  "SHA1": (text) => parseDigest("SHA-1", false, text),
  "SHA256": (text) => parseDigest("SHA-256", false, text),
  "SHA512": (text) => parseDigest("SHA-512", false, text),
  "PLAIN": parsePlain,
  "CLEARTEXT": parsePlain,
};

/** Dovecot's other schemes. Their names give nothing of a password away. */
const REFUSED_NAMES: ReadonlySet<string> = new Set([
  "CLEAR",
  "CRAM-MD5",
  "DES-CRYPT",
  "DIGEST-MD5",
  "HMAC-MD5",
  "LDAP-MD5",
  "MD5",
  "NTLM",
  "OTP",
  "PBKDF2",
  "PLAIN-MD4",
  "PLAIN-MD5",
  "PLAIN-TRUNC",
  "SCRAM-SHA-1",
  "SCRAM-SHA-256",
  "SMD5",
]);

/**
 * Reads a hash as htpasswd, crypt(3), directories and Dovecot write it.
 *
 * @returns What is wrong with it, in words that give nothing of it away, if it
 * cannot be taken.
 */
export function parseHash(text: string): PasswordHash | string {
  const [, name, rest = ""] = /^\{([^{}]*)\}(.*)$/.exec(text) ?? [];
  const hash = name === undefined
    ? parseCrypt(text)
    : parseNamed(name.toUpperCase(), rest);
  return hash ?? "the hash is no whole one of its kind";
}

function parseNamed(name: string, text: string): ReturnType<Parse> {
  if (REFUSED_NAMES.has(name)) return refusal(`{${name}}`);
  const parse = Object.hasOwn(BY_NAME, name) ? BY_NAME[name] : undefined;
  return parse === undefined ? UNKNOWN : parse(text);
}

function parseCrypt(text: string): ReturnType<Parse> {
  const [, id = ""] = /^\$([^$,]*)[$,]/.exec(text) ?? [];
  const refused = Object.hasOwn(REFUSED_IDS, id) ? REFUSED_IDS[id] : undefined;
  if (refused !== undefined) return refusal(refused);
  const parse = Object.hasOwn(BY_ID, id) ? BY_ID[id] : undefined;
  return parse === undefined ? UNKNOWN : parse(text);
}

function parsePlain(password: string): PlainHash | undefined {
  return password === "" ? undefined : { kind: "plain", password };
}

const UNKNOWN =
  "the hash must be $argon2id$, $2y$, $2b$, $2a$, $6$, $5$, $scrypt$, $apr1$, " +
  "{SSHA}, {SSHA256}, {SSHA512}, {SHA} or {PLAIN}";

function refusal(what: string): string {
  return `${what} cannot be checked here: make a new hash with --hash-password`;
}
