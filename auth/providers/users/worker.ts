/**
 * The program of a Worker: it computes the hashes that would hold up the event
 * loop, one after the other, and knows nothing else.
 *
 * It is no module of anybody's: {@linkcode HashWorkers} starts it. So it may use
 * what the web's standards lack, SHA that answers at once and MD5; Deno, Node
 * and Bun have `node:crypto`.
 *
 * @module
 */

import { createHash, scryptSync } from "node:crypto";
import { parentPort } from "node:worker_threads";
import {
  isSameOctets,
  isSameSecret,
  padSecret,
} from "../../../lib/constant_time.ts";
import type { Digest } from "./crypt64.ts";
import type { SlowHash } from "./hash.ts";
import { md5CryptTag } from "./md5_crypt.ts";
import { memoryOf, type ScryptHash } from "./scrypt.ts";
import { shaCryptTag } from "./sha_crypt.ts";
import type { HashAnswer, HashQuestion } from "./workers.ts";

parentPort?.on("message", async ({ hash, password }: HashQuestion) => {
  parentPort?.postMessage(await answer(hash, password));
});

async function answer(hash: SlowHash, password: string): Promise<HashAnswer> {
  try {
    return { kind: "checked", matches: await matches(hash, password) };
  } catch (error) {
    return { kind: "failed", words: String(error) };
  }
}

async function matches(hash: SlowHash, password: string): Promise<boolean> {
  const octets = new TextEncoder().encode(password);
  switch (hash.kind) {
    case "bcrypt": {
      const { compareSync } = await import("bcryptjs");
      return compareSync(password, hash.text);
    }
    case "md5-crypt":
      return isSame(md5CryptTag(hash, octets, digest("md5")), hash.tag);
    case "scrypt":
      return isSameOctets(scryptTag(hash, octets), hash.tag);
    case "sha-crypt":
      return isSame(
        shaCryptTag(hash, octets, digest(hash.algorithm)),
        hash.tag,
      );
    default:
      return hash satisfies never;
  }
}

function isSame(tag: string, wanted: string): boolean {
  return isSameSecret(tag, padSecret(wanted));
}

function digest(algorithm: string): Digest {
  return (...parts) => {
    const hash = createHash(algorithm);
    for (const part of parts) hash.update(part);
    return hash.digest();
  };
}

function scryptTag(hash: ScryptHash, password: Uint8Array): Uint8Array {
  const { n, r, p, salt, tag } = hash;
  // Node counts a little more than RFC 7914 does.
  const maxmem = 2 * memoryOf(hash);
  return scryptSync(password, salt, tag.length, { N: n, r, p, maxmem });
}
