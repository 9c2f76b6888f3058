/**
 * Whether a password is the one that a hash was made of.
 *
 * @module
 */

import { isSameSecret, padSecret } from "../../../lib/constant_time.ts";
import { matchesArgon2 } from "./argon2.ts";
import { matchesDigest } from "./digest.ts";
import { isSlow, type PasswordHash } from "./hash.ts";
import type { HashWorkers } from "./workers.ts";

/**
 * Compares, without holding up the event loop.
 *
 * @param password In NFC.
 * @param workers Who computes what would hold it up.
 * @throws {Error} If this runtime cannot compute the hash.
 */
export async function verify(
  hash: PasswordHash,
  password: string,
  workers: Pick<HashWorkers, "ask">,
): Promise<boolean> {
  if (isSlow(hash)) return await workers.ask({ hash, password });
  const octets = new TextEncoder().encode(password);
  switch (hash.kind) {
    case "argon2":
      return await matchesArgon2(hash, octets);
    case "digest":
      return await matchesDigest(hash, octets);
    case "plain":
      return isSameSecret(password, padSecret(hash.password.normalize("NFC")));
    default:
      return hash satisfies never;
  }
}
