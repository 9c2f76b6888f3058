/**
 * Things that come one by one, for a test that waits for each.
 *
 * @module
 */

import { mustHappen } from "./deadline.ts";

/** What has come, and who waits for more. */
export class Mailbox<T> {
  /** Everything that has come, in its order. */
  readonly all: T[] = [];
  #taken = 0;
  #change = Promise.withResolvers<void>();

  /** Something comes. */
  put(thing: T): void {
    this.all.push(thing);
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** The first that no call has had yet, as soon as it is there. */
  async next(what: string): Promise<T> {
    const index = this.#taken++;
    for (;;) {
      const thing = this.all[index];
      if (thing !== undefined) return thing;
      await mustHappen(this.#change.promise, `${what} comes`);
    }
  }
}
