/**
 * A store for tests that count.
 *
 * @module
 */

import { newMemoryStore } from "../../auth/state/memory_store.ts";
import type { Store } from "../../auth/state/store.ts";
import { encodeBase64 } from "../../lib/base64.ts";

/**
 * Makes a memory store whose hashes are the same in every run: under a random
 * key two guesses have the same one now and then, and count once.
 */
export function newCountingStore(): Store {
  const store = newMemoryStore();
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
  const value = encodeBase64(secret);
  const key = "s:guesses";
  store.update(
    [key],
    () => [{ key, value, keepMs: Infinity, share: "secret" }],
  );
  return store;
}
