/**
 * A store, as one who keeps values of one type in it sees it.
 *
 * @module
 */

import type { Store, StoreShare, StoreValues, StoreWrite } from "./store.ts";

/** Values of one type, in the order of their keys; `undefined` for none. */
export type Values<T> = readonly (T | undefined)[];

/** The values of one type in a {@linkcode Store}. */
export interface StoreView<T> {
  /** Reads what is there under some keys, at most five. */
  read(keys: readonly string[]): Values<T> | Promise<Values<T>>;
  /**
   * Reads and writes as one step that nobody comes between.
   *
   * @param keys At most five.
   * @param change Given what is there, says what is to be there. A value that
   * comes back as the same one is not written; `undefined` takes one out. Pure;
   * the last call is the one that counts.
   */
  update(
    keys: readonly string[],
    change: (values: Values<T>) => Values<T>,
  ): void | Promise<void>;
}

/** How values of one type are kept. */
export interface StoreViewOptions<T> {
  /** What their keys begin with, such as `t:`; nobody else's may. */
  readonly prefix: string;
  /** Whether something is such a value; anything else counts as nothing. */
  readonly isValue: (value: unknown) => value is T;
  /** Milliseconds for which to keep a value. */
  readonly keepMs: (value: T) => number;
  /** Which share of a full store a value belongs to. */
  readonly share: (value: T) => StoreShare;
}

/** Makes a view of a store. */
export function newStoreView<T>(
  store: Store,
  options: StoreViewOptions<T>,
): StoreView<T> {
  const { prefix, isValue, keepMs, share } = options;
  const named = (keys: readonly string[]) => keys.map((key) => prefix + key);
  const checked = (values: StoreValues): Values<T> =>
    values.map((value) => isValue(value) ? value : undefined);
  const writeOf = (key: string, value: T | undefined): StoreWrite =>
    value === undefined
      ? { key, value, keepMs: Infinity, share: "guess-1" }
      : { key, value, keepMs: keepMs(value), share: share(value) };
  return {
    read: (keys) => {
      const found = store.read(named(keys));
      return found instanceof Promise ? found.then(checked) : checked(found);
    },
    update: (keys, change) => {
      const names = named(keys);
      return store.update(names, (values) => {
        const before = checked(values);
        const after = change(before);
        return names.flatMap((name, i) =>
          after[i] === before[i] ? [] : [writeOf(name, after[i])]
        );
      });
    },
  };
}
