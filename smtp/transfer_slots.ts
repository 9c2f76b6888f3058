/**
 * Turns at something that only so many can do at a time.
 *
 * @module
 */

import { newTimeLimit } from "../lib/time_limit.ts";

/** One turn: waited for, on, or over. */
export interface TransferTurn {
  /** Resolves when it has come, or has been ended before; absent: it is on. */
  readonly come?: Promise<void>;
  /** Whether it is on. */
  readonly isOn: () => boolean;
  /** Ends it if others wait. */
  readonly yield: () => void;
  /** Ends it, or the waiting for it. */
  readonly end: () => void;
}

/** Gives turns, first come, first served. */
export interface TransferTurns {
  /** Asks for a turn. */
  readonly begin: () => TransferTurn;
}

/**
 * Makes turns.
 *
 * @param most How many are on at a time.
 * @param sliceMs How long one lasts if others wait, in milliseconds. Then it is
 * over by itself, so that nobody who is slow can keep the others waiting.
 */
export function newTransferTurns(most: number, sliceMs: number): TransferTurns {
  const slice = newTimeLimit(sliceMs);
  /** Those that are on; the one that began first is the first. */
  const on = new Set<Place>();
  const waiting = new Set<Place>();

  function start(place: Place): void {
    on.add(place);
    place.endSlice = slice.start(() => {
      place.isOverdue = true;
      if (waiting.size > 0) stop(place);
    });
    place.wake();
  }

  /** Takes a place away from who has it, for the next to have it. */
  function stop(place: Place): void {
    if (!on.delete(place)) return;
    place.endSlice();
    const [next] = waiting;
    if (next === undefined) return;
    waiting.delete(next);
    start(next);
  }

  return {
    begin() {
      const place: Place = { isOverdue: false, endSlice() {}, wake() {} };
      const turn = {
        isOn: () => on.has(place),
        yield() {
          if (waiting.size > 0) stop(place);
        },
        end() {
          if (waiting.delete(place)) place.wake();
          else stop(place);
        },
      };
      const [first] = on;
      // It could stay as long as nobody else wanted its place.
      if (on.size >= most && first?.isOverdue) stop(first);
      if (on.size < most) {
        start(place);
        return turn;
      }
      waiting.add(place);
      const come = new Promise<void>((resolve) => place.wake = resolve);
      return { ...turn, come };
    },
  };
}

/** Somebody's place among those who are on or wait. */
interface Place {
  isOverdue: boolean;
  endSlice: () => void;
  wake: () => void;
}
