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
  /** The keys of all values, in no order. */
  readonly keys: () => Iterable<string>;
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
  /**
   * How many parts of the table each kind of values may keep for itself; others
   * have what it leaves. Default: there is one kind.
   */
  readonly shares?: readonly number[];
  /** Which kind a value is of: an index of `shares`. Default: the first. */
  readonly kindOf?: (value: V) => number;
  /** Told of each value that had to go. */
  readonly onEvict?: (key: string, value: V) => void;
}

/** The values of one kind, in the order of their use. */
interface Kind<V> {
  readonly parts: number;
  oldest: Slot<V> | undefined;
  newest: Slot<V> | undefined;
  size: number;
  weight: number;
}

/** A value between the ones of its kind that were used before and after it. */
interface Slot<V> {
  readonly key: string;
  value: V;
  weight: number;
  kind: Kind<V>;
  older: Slot<V> | undefined;
  newer: Slot<V> | undefined;
}

/**
 * Makes an empty table. A value heavier than the whole limit is not kept.
 *
 * Where there is no room, the one that was not used for longest goes, of the
 * kind that has most for its share.
 *
 * The order is a list of its own. A Map has one too, by insertion; but to take
 * the same key out of a large Map and put it in again, time after time, costs
 * some ten microseconds in V8, which searches through all its former places.
 */
export function newLru<V>(options: LruOptions<V>): Lru<V> {
  const { maxEntries, maxWeight = Infinity, shares = [1], onEvict } = options;
  const weigh = options.weigh ?? (() => 0);
  const kindOf = options.kindOf ?? (() => 0);
  const slots = new Map<string, Slot<V>>();
  const kinds = shares.map((parts) => newKind<V>(parts));
  const [first = newKind<V>(1)] = kinds;
  let weightOfAll = 0;

  function remove(slot: Slot<V>): void {
    slots.delete(slot.key);
    weightOfAll -= slot.weight;
    unlink(slot);
  }

  function used(key: string): Slot<V> | undefined {
    const slot = slots.get(key);
    if (slot !== undefined && slot !== slot.kind.newest) {
      unlink(slot);
      append(slot);
    }
    return slot;
  }

  function put(key: string, value: V): void {
    const kind = kinds[kindOf(value)] ?? first;
    const weight = weigh(key, value);
    const slot = slots.get(key);
    weightOfAll += weight - (slot?.weight ?? 0);
    if (slot === undefined) {
      const [older, newer] = [undefined, undefined];
      const added = { key, value, weight, kind, older, newer };
      slots.set(key, added);
      append(added);
      return;
    }
    unlink(slot);
    slot.value = value;
    slot.weight = weight;
    slot.kind = kind;
    append(slot);
  }

  function evictFrom(measure: "size" | "weight"): void {
    const fullest = kinds.reduce((most, kind) =>
      kind[measure] / kind.parts > most[measure] / most.parts ? kind : most
    );
    const slot = fullest.oldest;
    if (slot === undefined) return;
    remove(slot);
    onEvict?.(slot.key, slot.value);
  }

  return {
    get: (key) => used(key)?.value,
    set: (key, value) => {
      put(key, value);
      while (slots.size > maxEntries) evictFrom("size");
      while (weightOfAll > maxWeight) evictFrom("weight");
    },
    delete: (key) => {
      const slot = slots.get(key);
      if (slot !== undefined) remove(slot);
    },
    keys: () => slots.keys(),
    size: () => slots.size,
    weight: () => weightOfAll,
  };
}

function newKind<V>(parts: number): Kind<V> {
  return { parts, oldest: undefined, newest: undefined, size: 0, weight: 0 };
}

/** Puts a slot in as the latest used of its kind. */
function append<V>(slot: Slot<V>): void {
  const { kind } = slot;
  slot.older = kind.newest;
  slot.newer = undefined;
  if (kind.newest === undefined) kind.oldest = slot;
  else kind.newest.newer = slot;
  kind.newest = slot;
  kind.size++;
  kind.weight += slot.weight;
}

/** Takes a slot out of the order of its kind. */
function unlink<V>(slot: Slot<V>): void {
  const { kind } = slot;
  if (slot.older === undefined) kind.oldest = slot.newer;
  else slot.older.newer = slot.newer;
  if (slot.newer === undefined) kind.newest = slot.older;
  else slot.newer.older = slot.older;
  kind.size--;
  kind.weight -= slot.weight;
}
