/**
 * Updates of a database that can write only if what was read is still there.
 *
 * @module
 */

import { pause, race } from "../../lib/race.ts";
import type { Store, StoreValues, StoreWrite } from "./store.ts";

/** The longest pause between two tries, in milliseconds. */
const MAX_PAUSE_MS = 16;

/** How long a database may take for one call, in milliseconds. */
const MAX_CALL_MS = 1000;

/** The most updates that wait: with one call a millisecond, for seconds. */
const MAX_WAITING = 10_000;

/** What was seen under a key. */
export interface Seen {
  /** The value; `undefined` if there is none. */
  readonly value: unknown;
  /** By what the database knows whether it is still there. */
  readonly version: unknown;
}

/** What was seen, by key. */
export type SeenValues = ReadonlyMap<string, Seen>;

/** What {@linkcode newUpdateQueue} needs of a database. */
export interface VersionedDatabase {
  /** What its errors call it: `Redis store`. */
  readonly name: string;
  /** The most keys that it reads and writes as one step. */
  readonly maxKeys: number;
  /**
   * What is there, or was a moment ago: {@linkcode write} finds out. `undefined`
   * if it is too busy to say.
   */
  readonly read: (keys: readonly string[]) => Promise<SeenValues | undefined>;
  /**
   * Writes if all that was seen is there.
   *
   * @returns `"done"`, or what is there instead; `undefined` if it does not say.
   */
  readonly write: (
    seen: SeenValues,
    writes: readonly StoreWrite[],
  ) => Promise<"done" | SeenValues | undefined>;
}

interface Update {
  readonly keys: readonly string[];
  readonly change: (values: StoreValues) => readonly StoreWrite[];
  /** Until when others may be faster, by a clock that nobody sets. */
  readonly until: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes the `update` of a store. This process has one step under way at a time:
 * what comes meanwhile goes into the next one together. So updates of the same
 * key are in the way of other processes' only, and in a flood many cost one step.
 *
 * @param database Where to write.
 * @param timeoutMs How long to try while others are faster, in milliseconds.
 */
export function newUpdateQueue(
  database: VersionedDatabase,
  timeoutMs: number,
): (...update: Parameters<Store["update"]>) => Promise<void> {
  const queue = new UpdateQueue(database);
  return (keys, change) =>
    new Promise((resolve, reject) => {
      const until = performance.now() + timeoutMs;
      queue.add({ keys, change, until, resolve, reject });
    });
}

class UpdateQueue {
  readonly #database: VersionedDatabase;
  readonly #waiting: Update[] = [];
  #isBusy = false;

  constructor(database: VersionedDatabase) {
    this.#database = database;
  }

  add(update: Update): void {
    if (this.#waiting.length >= MAX_WAITING) {
      update.reject(this.#error("too many updates wait"));
      return;
    }
    this.#waiting.push(update);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    // What comes in one turn goes in one step.
    await undefined;
    while (this.#waiting.length > 0) {
      const step = this.#next();
      try {
        await this.#write(step);
      } catch (error) {
        for (const { reject } of step) reject(error);
      }
    }
    this.#isBusy = false;
  }

  /** Takes as many of those who wait as go into one step; at least one. */
  #next(): readonly Update[] {
    const keys = new Set<string>();
    const isOver = ({ keys: more }: Update) => {
      for (const key of more) keys.add(key);
      return keys.size > this.#database.maxKeys;
    };
    const over = this.#waiting.findIndex(isOver);
    const count = over < 0 ? this.#waiting.length : Math.max(1, over);
    return this.#waiting.splice(0, count);
  }

  /** Writes what some updates want, time after time until nobody was faster. */
  async #write(step: readonly Update[]): Promise<void> {
    let left = step;
    let seen: SeenValues | undefined;
    for (let tries = 0;; tries++) {
      if (tries > 0) await pauseBefore(tries);
      left = this.#inTime(left);
      if (left.length === 0) return;
      const keys = [...new Set(left.flatMap(({ keys }) => keys))];
      const before = seen ?? await this.#call(() => this.#database.read(keys));
      if (before === undefined) continue;
      const { writes, agreed } = appliedTo(before, left);
      left = agreed;
      const outcome = await this.#call(() =>
        this.#database.write(before, writes)
      );
      if (outcome === "done") return left.forEach(({ resolve }) => resolve());
      seen = outcome;
    }
  }

  /** Those that may try again; the others are told that they may not. */
  #inTime(updates: readonly Update[]): readonly Update[] {
    const now = performance.now();
    return updates.filter(({ until, reject }) => {
      if (until > now) return true;
      reject(this.#error("others write all the time"));
      return false;
    });
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    const raced = await race(work, { limit: MAX_CALL_MS });
    if (raced.kind === "done") return raced.value;
    throw raced.kind === "broken" ? raced.error : this.#error("no answer");
  }

  #error(why: string): Error {
    return new Error(`Cannot write ${this.#database.name}: ${why}`);
  }
}

/** Not the same for all, or those who were in each other's way would be again. */
function pauseBefore(tries: number): Promise<void> {
  return pause(Math.random() * Math.min(2 ** tries, MAX_PAUSE_MS));
}

/** What some updates write, one after the other, and who of them has agreed. */
function appliedTo(seen: SeenValues, updates: readonly Update[]): {
  readonly writes: readonly StoreWrite[];
  readonly agreed: readonly Update[];
} {
  const values = new Map<string, unknown>();
  for (const [key, { value }] of seen) values.set(key, value);
  const writes = new Map<string, StoreWrite>();
  const agreed = updates.filter(({ keys, change, reject }) => {
    try {
      for (const write of change(keys.map((key) => values.get(key)))) {
        values.set(write.key, write.value);
        writes.set(write.key, write);
      }
      return true;
    } catch (error) {
      reject(error);
      return false;
    }
  });
  return { writes: [...writes.values()], agreed };
}
