/**
 * A table that never grows beyond its limits.
 *
 * @module
 */

/** A table that forgets what has not been used for longest. */
export interface Lru<V> {
  /** Finds a value, which makes it the latest used. */
  get(key: string): V | undefined;
  /** Puts a value in as the latest used; others may have to go. */
  set(key: string, value: V): void;
  /** Takes a value out. */
  delete(key: string): void;
  /** Takes the value out that was not used for longest; tells its key. */
  deleteOldest(): string | undefined;
  /** How many values there are. */
  readonly size: () => number;
  /** What all values together weigh. */
  readonly weight: () => number;
}

/** When an {@linkcode Lru} forgets. */
export interface LruOptions<V> {
  /** The most values. */
  readonly maxEntries: number;
  /** The most that all may weigh together. Default: no limit. */
  readonly maxWeight?: number;
  /** What a value weighs. Default: nothing. */
  readonly weigh?: (key: string, value: V) => number;
  /** Told of each value that had to go. */
  readonly onEvict?: (key: string, value: V) => void;
}

/** A value between the ones that were used before and after it. */
interface Slot<V> {
  readonly key: string;
  value: V;
  weight: number;
  older: Slot<V> | undefined;
  newer: Slot<V> | undefined;
}

/**
 * Makes an empty table. A value heavier than the whole limit is not kept.
 *
 * The order is a list of its own. A Map has one too, by insertion; but to take
 * the same key out of a large Map and put it in again, time after time, costs
 * some ten microseconds in V8, which searches through all its former places.
 */
export function newLru<V>(options: LruOptions<V>): Lru<V> {
  const { maxEntries, maxWeight = Infinity, onEvict } = options;
  const weigh = options.weigh ?? (() => 0);
  const slots = new Map<string, Slot<V>>();
  let oldest: Slot<V> | undefined;
  let newest: Slot<V> | undefined;
  let weight = 0;

  function append(slot: Slot<V>): void {
    slot.older = newest;
    slot.newer = undefined;
    if (newest === undefined) oldest = slot;
    else newest.newer = slot;
    newest = slot;
  }

  function unlink(slot: Slot<V>): void {
    if (slot.older === undefined) oldest = slot.newer;
    else slot.older.newer = slot.newer;
    if (slot.newer === undefined) newest = slot.older;
    else slot.newer.older = slot.older;
  }

  function use(slot: Slot<V>): void {
    if (slot === newest) return;
    unlink(slot);
    append(slot);
  }

  function remove(slot: Slot<V>): void {
    slots.delete(slot.key);
    unlink(slot);
    weight -= slot.weight;
  }

  function used(key: string): Slot<V> | undefined {
    const slot = slots.get(key);
    if (slot !== undefined) use(slot);
    return slot;
  }

  function added(key: string, value: V): Slot<V> {
    const slot: Slot<V> = {
      key,
      value,
      weight: 0,
      older: undefined,
      newer: undefined,
    };
    slots.set(key, slot);
    append(slot);
    return slot;
  }

  function evict(): void {
    while (
      oldest !== undefined && (slots.size > maxEntries || weight > maxWeight)
    ) {
      const { key, value } = oldest;
      remove(oldest);
      onEvict?.(key, value);
    }
  }

  return {
    get: (key) => used(key)?.value,
    set: (key, value) => {
      const slot = used(key) ?? added(key, value);
      weight -= slot.weight;
      slot.value = value;
      slot.weight = weigh(key, value);
      weight += slot.weight;
      evict();
    },
    delete: (key) => {
      const slot = slots.get(key);
      if (slot !== undefined) remove(slot);
    },
    deleteOldest: () => {
      const slot = oldest;
      if (slot !== undefined) remove(slot);
      return slot?.key;
    },
    size: () => slots.size,
    weight: () => weight,
  };
}
