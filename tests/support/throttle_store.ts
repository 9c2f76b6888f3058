/**
 * A throttle's store for tests that count.
 *
 * @module
 */

import { newMemoryThrottleStore } from "../../auth/guards/throttle/memory_store.ts";
import type { ThrottleStore } from "../../auth/guards/throttle/store.ts";

/**
 * Makes a memory store whose hashes are the same in every run: under a random
 * key two guesses have the same one now and then, and count once.
 */
export function newCountingStore(): ThrottleStore {
  const secret = Uint8Array.from({ length: 32 }, (_, i) => i);
  return { ...newMemoryThrottleStore(), secret: () => secret };
}
