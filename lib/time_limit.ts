/**
 * One time limit for many calls, kept with one timer.
 *
 * @module
 */

import { type Listed, LiveSet } from "./live_set.ts";

/** A limit that calls are put under one by one. */
export interface TimeLimit {
  /**
   * Puts a call under the limit.
   *
   * @param onOver Called once when the time is over.
   * @returns What takes the call off again.
   */
  readonly start: (onOver: () => void) => () => void;
}

/** A call under the limit. */
interface Call extends Listed {
  readonly dueAt: number;
  readonly onOver: () => void;
}

/**
 * Makes a limit. All calls have the same time, so that whose time is over first
 * is the one that began first: a timer for that one is enough, and a busy
 * server sets one now and then, not one for each call.
 *
 * @param limitMs The time of each call, in milliseconds.
 */
export function newTimeLimit(limitMs: number): TimeLimit {
  return TIMERS_END_WITH_A_REQUEST
    ? { start: (onOver) => startAlone(limitMs, onOver) }
    : newSharedTimer(limitMs);
}

/**
 * Whether a timer strikes only while the request is under way in which it was
 * set, as in the Workers of Cloudflare: other calls must not rely on it.
 */
const TIMERS_END_WITH_A_REQUEST =
  globalThis.navigator?.userAgent === "Cloudflare-Workers";

function startAlone(limitMs: number, onOver: () => void): () => void {
  const timer = setTimeout(onOver, limitMs);
  return () => clearTimeout(timer);
}

function newSharedTimer(limitMs: number): TimeLimit {
  /** Those under way. */
  const calls = new LiveSet<Call>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function setTimer(dueAt: number, leftMs: number): void {
    timer = setTimeout(() => strike(dueAt), leftMs);
  }

  function clearTimer(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  /** The timer for a call that was due then has struck; it may have ended since. */
  function strike(dueAt: number): void {
    // Timers may strike a moment before their time; this one's is over.
    const now = Math.max(performance.now(), dueAt);
    for (const call of calls) {
      if (call.dueAt <= now && calls.delete(call)) call.onOver();
    }
    // Calls may have begun meanwhile, and found this timer or set their own.
    clearTimer();
    const nextDueAt = firstDueAt(calls);
    if (calls.size > 0) setTimer(nextDueAt, nextDueAt - now);
  }

  return {
    start(onOver) {
      const dueAt = performance.now() + limitMs;
      const call: Call = { dueAt, onOver, index: -1 };
      calls.add(call);
      if (timer === undefined) setTimer(dueAt, limitMs);
      return () => {
        if (calls.delete(call) && calls.size === 0) clearTimer();
      };
    },
  };
}

function firstDueAt(calls: Iterable<Call>): number {
  let first = Infinity;
  for (const { dueAt } of calls) first = Math.min(first, dueAt);
  return first;
}
