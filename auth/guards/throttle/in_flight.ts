/**
 * How many requests are under way for each of many keys.
 *
 * @module
 */

import { newWaitingLine, type WaitingLine } from "../../../lib/wait_queue.ts";

/** Counts what is under way, and calls who waits for some of it to end. */
export interface Turns {
  /** How many are under way under a key. */
  underWay(key: string): number;
  /** Counts one more under each key, until the function returned is called. */
  enter(keys: readonly string[]): () => void;
  /** Waits for a call: `false` if the time is over or the signal aborted. */
  wait(
    key: string,
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean>;
  /** Calls the next, for one who was called and has no use for it. */
  pass(key: string): void;
  /** How many keys are in use. */
  readonly size: () => number;
}

interface Turn {
  underWay: number;
  readonly line: WaitingLine;
}

/** Starts with nothing under way. */
export function newTurns(): Turns {
  const turns = new Map<string, Turn>();

  function turnOf(key: string): Turn {
    const found = turns.get(key);
    if (found !== undefined) return found;
    const turn = { underWay: 0, line: newWaitingLine() };
    turns.set(key, turn);
    return turn;
  }

  function tidy(key: string): void {
    const turn = turns.get(key);
    if (turn?.underWay === 0 && turn.line.size() === 0) turns.delete(key);
  }

  function leave(key: string): void {
    const turn = turnOf(key);
    turn.underWay--;
    turn.line.next();
    tidy(key);
  }

  return {
    underWay: (key) => turns.get(key)?.underWay ?? 0,
    enter: (keys) => {
      for (const key of keys) turnOf(key).underWay++;
      return () => keys.forEach(leave);
    },
    wait: async (key, limitMs, signal) => {
      const called = await turnOf(key).line.wait(limitMs, signal);
      tidy(key);
      return called;
    },
    pass: (key) => {
      turns.get(key)?.line.next();
    },
    size: () => turns.size,
  };
}
