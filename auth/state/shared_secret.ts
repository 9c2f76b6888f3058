/**
 * A key of hashes that all who share a store have in common.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../../lib/base64.ts";
import { KEY_OCTETS, newSecret } from "../../lib/hmac.ts";
import type { Store } from "./store.ts";
import { newStoreView } from "./view.ts";

/**
 * How long a key is used before the store is asked again, in milliseconds: one
 * that has begun anew is empty, and needs the key that is in use.
 */
const AGAIN_MS = 60_000;

/**
 * Makes a function that gets the key. The first one who asks makes it, and it
 * stays in the store for ever.
 *
 * @param store One that always answers.
 * @param name What the key is for.
 */
export function newSharedSecret(
  store: Store,
  name: string,
): () => Promise<Uint8Array> {
  const secrets = newStoreView(store, {
    prefix: "s:",
    isValue: isSecret,
    keepMs: () => Infinity,
    share: () => "secret",
  });
  // Not before it is needed: Workers of Cloudflare have no random octets at
  // the time when a module makes its providers.
  let mine: Uint8Array | undefined;
  let current: Promise<Uint8Array> | undefined;
  let askedAt = 0;

  async function ask(): Promise<Uint8Array> {
    const own = mine ??= newSecret();
    let chosen: string | undefined;
    await secrets.update([name], ([found]) => {
      chosen = found ?? encodeBase64(own);
      return [chosen];
    });
    return mine = decodeBase64(chosen ?? "") ?? own;
  }

  return () => {
    const now = performance.now();
    if (current === undefined || now - askedAt >= AGAIN_MS) {
      askedAt = now;
      current = ask();
    }
    return current;
  };
}

function isSecret(value: unknown): value is string {
  return typeof value === "string" &&
    (decodeBase64(value)?.length ?? 0) >= KEY_OCTETS;
}
