/**
 * Slots for something that only so many can do at a time: a semaphore with a
 * time slice.
 *
 * @module
 */

import { newTimeLimit } from "../lib/time_limit.ts";

/** One slot: waited for, held, or given back. */
export interface TransferSlot {
  /** Resolves once it is held, or given back before; absent: it is held. */
  readonly ready?: Promise<void>;
  /** Whether it is held. */
  readonly isHeld: () => boolean;
  /** Gives it back if others wait. */
  readonly yield: () => void;
  /** Gives it back, or ends the waiting for it. */
  readonly release: () => void;
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
  const slice = newTimeLimit(sliceMs);
  /** Those who hold one, the longest first. */
  const holders = new Set<Holder>();
  const waiting = new Set<Holder>();

  function give(holder: Holder): void {
    holders.add(holder);
    holder.endSlice = slice.start(() => {
      holder.isOverdue = true;
      if (waiting.size > 0) take(holder);
    });
    holder.wake();
  }

  /** Takes a slot from who holds it, for the next to have it. */
  function take(holder: Holder): void {
    if (!holders.delete(holder)) return;
    holder.endSlice();
    const [next] = waiting;
    if (next === undefined) return;
    waiting.delete(next);
    give(next);
  }

  return {
    acquire() {
      const holder: Holder = { isOverdue: false, endSlice() {}, wake() {} };
      const slot = {
        isHeld: () => holders.has(holder),
        yield() {
          if (waiting.size > 0) take(holder);
        },
        release() {
          if (waiting.delete(holder)) holder.wake();
          else take(holder);
        },
      };
      const [first] = holders;
      // It could be kept as long as nobody else wanted it.
      if (holders.size >= most && first?.isOverdue) take(first);
      if (holders.size < most) {
        give(holder);
        return slot;
      }
      waiting.add(holder);
      const ready = new Promise<void>((resolve) => holder.wake = resolve);
      return { ...slot, ready };
    },
  };
}

/** Somebody who holds a slot, or waits for one. */
interface Holder {
  isOverdue: boolean;
  endSlice: () => void;
  wake: () => void;
}
