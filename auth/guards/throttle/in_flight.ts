/**
 * Who is under way, and who waits for one of them to end.
 *
 * @module
 */

import { newWaitingLine, type WaitingLine } from "../../../lib/wait_queue.ts";

/** How one under way ended. */
export type Ending = "right" | "wrong" | "unknown";

/** The time until which to wait, and who is waiting. */
export interface Wait {
  /** The moment of which what was judged by was read. */
  readonly since: number;
  /** Whether one was called and could not use it: others came later. */
  readonly again: boolean;
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

interface Place {
  /** How many are under way with each guess. */
  readonly guesses: Map<string, number>;
  /** Who waits, once somebody has: nearly nobody ever does. */
  line: WaitingLine | undefined;
  /** How many more guesses there may be than there seems to be room for. */
  earned: number;
  /** The moment at which one ended last. */
  endedAt: number;
}

/**
 * Counts the guesses under way at each of many places.
 *
 * Requests with the same user name and password are one guess, however many
 * there are: they share a place. So a program that opens a hundred connections
 * takes one.
 *
 * Different right passwords must not be in each other's way either, such as
 * those of a thousand users behind one address. Nobody knows that they are
 * right before they have been asked; but while others wait, each that was right
 * makes room for two, as a TCP connection that loses nothing sends twice as much
 * each time. Each that was wrong halves what was earned so. A guesser gains one
 * guess at a time per account that is right.
 */
export class InFlight {
  readonly #places = new Map<string, Place>();
  #moment = 0;

  /** The moment, to be told to {@linkcode wait}. */
  get moment(): number {
    return this.#moment;
  }

  /** How many places are in use. */
  get size(): number {
    return this.#places.size;
  }

  /**
   * How many others a guess must fit beside.
   *
   * @param called Whether it was called: who was not must not push in.
   */
  taken(name: string, guess: string, called: boolean): number {
    const place = this.#places.get(name);
    if (place === undefined || place.guesses.has(guess)) return 0;
    if (!called && waitingAt(place) > 0) return Infinity;
    return Math.max(0, place.guesses.size - place.earned);
  }

  /** Puts a guess at places, until the function returned is called. */
  enter(names: readonly string[], guess: string): (ending: Ending) => void {
    for (const name of names) {
      const { guesses } = this.#placeOf(name);
      guesses.set(guess, (guesses.get(guess) ?? 0) + 1);
    }
    return (ending) => {
      this.#moment++;
      for (const name of names) this.#leave(name, guess, ending);
    };
  }

  /**
   * Waits for a call, which comes when one at the place has ended.
   *
   * @returns Whether it came: not if the time is over or the signal aborted.
   */
  async wait(
    name: string,
    { since, again, limitMs, signal }: Wait,
  ): Promise<boolean> {
    const place = this.#placeOf(name);
    // It ended while the counts were read: nobody may call any more.
    if (place.endedAt > since) return true;
    place.line ??= newWaitingLine();
    const called = limitMs > 0 &&
      await place.line.wait(limitMs, signal, again);
    // Those behind may have room, and waited only for their turn.
    if (!called) this.call(name);
    return called;
  }

  /** Calls the next: each who was called must, unless it waits there again. */
  call(name: string): void {
    const place = this.#places.get(name);
    if (place === undefined) return;
    place.line?.next();
    if (waitingAt(place) > 0) return;
    place.earned = 0;
    if (place.guesses.size === 0) this.#places.delete(name);
  }

  #leave(name: string, guess: string, ending: Ending): void {
    const place = this.#placeOf(name);
    const left = (place.guesses.get(guess) ?? 1) - 1;
    if (left > 0) {
      place.guesses.set(guess, left);
    } else {
      place.guesses.delete(guess);
      if (ending === "right") place.earned++;
    }
    if (ending === "wrong") place.earned >>= 1;
    place.endedAt = this.#moment;
    this.call(name);
  }

  #placeOf(name: string): Place {
    const found = this.#places.get(name);
    if (found !== undefined) return found;
    const place: Place = {
      guesses: new Map(),
      line: undefined,
      earned: 0,
      endedAt: 0,
    };
    this.#places.set(name, place);
    return place;
  }
}

function waitingAt({ line }: Place): number {
  return line?.size() ?? 0;
}
