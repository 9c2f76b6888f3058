/**
 * What tests of stores have in common.
 *
 * @module
 */

import type { Store, StoreWrite } from "../../auth/state/store.ts";

/** Puts one value in a store, for ever and as a login unless it is said. */
export function put(
  store: Store,
  key: string,
  value: unknown,
  options: Partial<StoreWrite> = {},
): void | Promise<void> {
  return store.update([key], () => [
    { key, value, keepMs: Infinity, share: "login", ...options },
  ]);
}
