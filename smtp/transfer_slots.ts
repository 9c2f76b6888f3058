/**
 * Slots for something that only so many can do at a time: a semaphore with a
 * time slice.
 *
 * @module
 */

import { newTimeLimit, type TimeLimit } from "../lib/time_limit.ts";

/** One slot: waited for, held, or given back. */
export interface TransferSlot {
  /** Resolves once it is held, or given back before; `undefined`: it is held. */
  readonly ready: Promise<void> | undefined;
  /** Whether it is held. */
  readonly isHeld: boolean;
  /** Gives it back if others wait. */
  yield(): void;
  /** Gives it back, or ends the waiting for it. */
  release(): void;
}

/** Gives out slots, first come, first served. */
export interface TransferSlots {
  /** Asks for a slot. */
  readonly acquire: () => TransferSlot;
}

/**
 * Makes slots.
 *
 * @param most How many are held at a time.
 * @param sliceMs How long one is held if others wait, in milliseconds. Then it
 * is given back by itself, so that nobody who is slow can keep the others
 * waiting.
 */
export function newTransferSlots(most: number, sliceMs: number): TransferSlots {
  const line = new Line(most, newTimeLimit(sliceMs));
  return { acquire: () => line.acquire() };
}

/**
 * Those who hold a slot and those who wait. Hundreds of large messages come
 * here again and again and wait for seconds: what each needs is one object and
 * one promise, in lists that are no Sets, or the collector would have to keep
 * what is over long enough to take it for something that stays.
 */
class Line {
  readonly #most: number;
  readonly #slice: TimeLimit;
  /** Those who hold one, the longest first. */
  readonly #holders: Slot[] = [];
  /** Those who wait, the longest first. */
  readonly #waiting: Slot[] = [];

  constructor(most: number, slice: TimeLimit) {
    this.#most = most;
    this.#slice = slice;
  }

  get isWaitedFor(): boolean {
    return this.#waiting.length > 0;
  }

  acquire(): Slot {
    const [first] = this.#holders;
    const isFull = this.#holders.length >= this.#most;
    // It could be kept as long as nobody else wanted it.
    if (isFull && first?.isOverdue) this.take(first);
    const slot = new Slot(this);
    if (this.#holders.length < this.#most) this.#give(slot);
    else this.#waiting.push(slot.wait());
    return slot;
  }

  /** Takes a slot from who holds it, for the next to have it. */
  take(slot: Slot): void {
    if (!removed(this.#holders, slot)) return;
    slot.ended();
    const next = this.#waiting.shift();
    if (next !== undefined) this.#give(next);
  }

  /** One who waits does so no more. */
  leave(slot: Slot): void {
    removed(this.#waiting, slot);
    slot.ended();
  }

  #give(slot: Slot): void {
    this.#holders.push(slot);
    slot.begun(this.#slice);
  }
}

/** One slot, for somebody. */
class Slot implements TransferSlot {
  isOverdue = false;
  readonly #line: Line;
  #state: "waiting" | "held" | "over" = "waiting";
  #ready: PromiseWithResolvers<void> | undefined;
  #endSlice: (() => void) | undefined;

  constructor(line: Line) {
    this.#line = line;
  }

  get ready(): Promise<void> | undefined {
    return this.#ready?.promise;
  }

  get isHeld(): boolean {
    return this.#state === "held";
  }

  yield(): void {
    if (this.#line.isWaitedFor) this.#line.take(this);
  }

  release(): void {
    // Nobody is looked for among thousands who is not there any more.
    if (this.#state === "waiting") this.#line.leave(this);
    else if (this.#state === "held") this.#line.take(this);
  }

  /** It is not to be had yet. */
  wait(): this {
    this.#ready = Promise.withResolvers();
    return this;
  }

  /** It is held from now on. */
  begun(slice: TimeLimit): void {
    this.#state = "held";
    this.#endSlice = slice.start(() => {
      this.isOverdue = true;
      this.yield();
    });
    this.#ready?.resolve();
  }

  /** It is held no more, or not waited for. */
  ended(): void {
    this.#state = "over";
    this.#endSlice?.();
    this.#ready?.resolve();
  }
}

/** Takes something out of a list, if it is there. */
function removed<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at < 0) return false;
  list.splice(at, 1);
  return true;
}
