/**
 * Time limits for thousands of connections with one timer: it ticks, and looks
 * at each limit. A timer per read would cost more than the read.
 *
 * @module
 */

import { type Listed, LiveSet } from "../lib/live_set.ts";

/** The time limit of one connection. */
export interface Deadline {
  /** Begins anew: it expires if this is not called again within the time. */
  renew(milliseconds: number): void;
  /** Stops the clock. */
  pause(): void;
  /** Starts the clock again with the time that was left. */
  resume(): void;
  /** Ends it for good. */
  stop(): void;
}

/** Whose time limit it is: an object, for a function each would cost more. */
export interface Watched {
  /** The time is up. */
  expire(): void;
}

/** Keeps the time limits of all connections of a listener. */
export interface Deadlines {
  /** Begins to watch over a connection; the clock starts with `renew`. */
  watch(watched: Watched): Deadline;
  /** The time in milliseconds, in whole ticks. It runs while something is watched. */
  now(): number;
}

/**
 * Makes a keeper of deadlines. Its timer runs only while something is watched.
 *
 * @param tickMs How often to look, in milliseconds: no deadline expires early,
 * and none more than two ticks late.
 */
export function newDeadlines(tickMs: number): Deadlines {
  const clock: Clock = {
    tickMs,
    ticks: 0,
    watched: new LiveSet(),
    timer: undefined,
  };
  return {
    watch: (watched) => new WatchedDeadline(clock, watched),
    now: () => clock.ticks * tickMs,
  };
}

/** What all deadlines of a listener share. */
interface Clock {
  readonly tickMs: number;
  readonly watched: LiveSet<WatchedDeadline>;
  ticks: number;
  timer: ReturnType<typeof setInterval> | undefined;
}

function tick(clock: Clock): void {
  clock.ticks++;
  for (const deadline of clock.watched) deadline.look();
}

/**
 * A tick that never comes. A whole number: one that is none, such as Infinity,
 * would cost each connection an object of its own.
 */
const NEVER = 2 ** 30;

/** A class, because ten thousand connections have one each. */
class WatchedDeadline implements Deadline, Listed {
  index = -1;
  readonly #clock: Clock;
  readonly #watched: Watched;
  #dueAt = NEVER;
  /** Ticks that were left when the clock was stopped. */
  #left = NEVER;

  constructor(clock: Clock, watched: Watched) {
    this.#clock = clock;
    this.#watched = watched;
    clock.watched.add(this);
    clock.timer ??= setInterval(() => tick(clock), clock.tickMs);
  }

  renew(milliseconds: number): void {
    const { ticks, tickMs } = this.#clock;
    // The tick under way may be almost over: do not count it.
    this.#dueAt = ticks + 1 + Math.ceil(milliseconds / tickMs);
  }

  pause(): void {
    this.#left = this.#dueAt - this.#clock.ticks;
    this.#dueAt = NEVER;
  }

  resume(): void {
    this.#dueAt = this.#clock.ticks + this.#left;
  }

  stop(): void {
    const { watched, timer } = this.#clock;
    watched.delete(this);
    if (watched.size > 0) return;
    clearInterval(timer);
    this.#clock.timer = undefined;
  }

  /** Expires if it is time. */
  look(): void {
    if (this.#dueAt > this.#clock.ticks) return;
    this.#dueAt = NEVER;
    this.#watched.expire();
  }
}
