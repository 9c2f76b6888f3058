/**
 * A table that never grows beyond its limits.
 *
 * @module
 */

import { ownText } from "./text.ts";

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
 * A table that forgets what has not been used for longest, of the kind that has
 * most for its share. A value heavier than the whole limit is not kept.
 *
 * The order is a list of its own. A Map has one too, by insertion; but to take
 * the same key out of a large Map and put it in again, time after time, costs
 * some ten microseconds in V8, which searches through all its former places.
 */
export class Lru<V> {
  readonly #maxEntries: number;
  readonly #maxWeight: number;
  readonly #options: LruOptions<V>;
  readonly #slots = new Map<string, Slot<V>>();
  readonly #kinds: readonly Kind<V>[];
  /** What is of no kind is of this one. */
  readonly #first: Kind<V>;
  #weight = 0;

  /** @param options When it forgets. */
  constructor(options: LruOptions<V>) {
    const { maxEntries, maxWeight = Infinity, shares = [1] } = options;
    this.#options = options;
    this.#maxEntries = maxEntries;
    this.#maxWeight = maxWeight;
    this.#kinds = shares.map((parts) => newKind<V>(parts));
    this.#first = this.#kinds[0] ?? newKind<V>(1);
  }

  /** The keys of all values, in no order. */
  keys(): Iterable<string> {
    return this.#slots.keys();
  }

  /** How many values there are. */
  get size(): number {
    return this.#slots.size;
  }

  /** What all values together weigh. */
  get weight(): number {
    return this.#weight;
  }

  /** Finds a value, which makes it the latest used. */
  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot !== undefined && slot !== slot.kind.newest) {
      unlink(slot);
      append(slot);
    }
    return slot?.value;
  }

  /** Puts a value in as the latest used; others may have to go. */
  set(key: string, value: V): void {
    this.#put(key, value);
    while (this.#slots.size > this.#maxEntries) this.#evict("size");
    while (this.#weight > this.#maxWeight) this.#evict("weight");
  }

  /** Takes a value out. */
  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot !== undefined) this.#remove(slot);
  }

  #put(key: string, value: V): void {
    const { kindOf, weigh } = this.#options;
    const kind = this.#kinds[kindOf?.(value) ?? 0] ?? this.#first;
    const weight = weigh?.(key, value) ?? 0;
    const slot = this.#slots.get(key);
    this.#weight += weight - (slot?.weight ?? 0);
    if (slot === undefined) {
      const [older, newer] = [undefined, undefined];
      const own = ownText(key);
      const added = { key: own, value, weight, kind, older, newer };
      this.#slots.set(own, added);
      append(added);
      return;
    }
    unlink(slot);
    slot.value = value;
    slot.weight = weight;
    slot.kind = kind;
    append(slot);
  }

  #remove(slot: Slot<V>): void {
    this.#slots.delete(slot.key);
    this.#weight -= slot.weight;
    unlink(slot);
  }

  #evict(measure: "size" | "weight"): void {
    const fullest = this.#kinds.reduce((most, kind) =>
      kind[measure] / kind.parts > most[measure] / most.parts ? kind : most
    );
    const slot = fullest.oldest;
    if (slot === undefined) return;
    this.#remove(slot);
    this.#options.onEvict?.(slot.key, slot.value);
  }
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
