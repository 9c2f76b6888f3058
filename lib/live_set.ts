/**
 * Those who are there now.
 *
 * @module
 */

/** What can be in a live set; in one at a time. */
export interface Listed {
  /** Where in the set, which alone changes it; -1 while in none. */
  index: number;
}

/**
 * A set, in no order, of what comes and goes all the time.
 *
 * JavaScript's own Set and Map begin a new table every so often. The old one
 * keeps what was in it and knows the next, so that whatever is there while that
 * happens, such as a session with all that hangs on it, outlives the young
 * generation: everything is copied twice and left to a full collection.
 */
export class LiveSet<T extends Listed> {
  readonly #items: T[] = [];

  /** How many there are. */
  get size(): number {
    return this.#items.length;
  }

  /** Whether it is there. */
  has(item: T): boolean {
    return this.#items[item.index] === item;
  }

  /** Puts it there. */
  add(item: T): void {
    item.index = this.#items.push(item) - 1;
  }

  /** Takes it away; tells whether it was there. */
  delete(item: T): boolean {
    if (!this.has(item)) return false;
    const last = this.#items.pop();
    if (last !== undefined && last !== item) {
      this.#items[item.index] = last;
      last.index = item.index;
    }
    item.index = -1;
    return true;
  }

  /** Those who are there now, without those taken away meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (const item of [...this.#items]) if (this.has(item)) yield item;
  }
}
