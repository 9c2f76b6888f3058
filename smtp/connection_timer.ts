/**
 * How long one connection waits for what.
 *
 * @module
 */

import type { Deadline, Deadlines, Watched } from "../net/deadlines.ts";

/** How long to wait for a client to close after our last word, in milliseconds. */
const LINGER_MS = 2_000;

/**
 * How long a client may take for the login that is required, in milliseconds,
 * whatever it says meanwhile: nobody keeps a place from others for ever. RFC
 * 5321 section 4.5.3.2.7 wants five minutes for a command.
 */
const LOGIN_MS = 300_000;

/**
 * How long whoever takes a message may take nothing of it before its client is
 * looked after meanwhile, in milliseconds.
 */
const STALL_MS = 1_000;

/**
 * How much of a message must arrive within the idle timeout, in octets: less
 * is a client that keeps a connection busy without sending mail.
 */
const PROGRESS_OCTETS = 1_024;

/**
 * What a connection waits for. It decides what to do when the time is up, or
 * the listener stops: a client that is waited for can be told, one that does
 * not read can not.
 */
export type Phase =
  /** What comes before the session: a proxy's header, TLS. */
  | "preamble"
  /** The client's silence before the greeting. */
  | "silence"
  /** Nothing: the session goes on. */
  | "session"
  /** What the client sends. */
  | "client"
  /** That it reads. */
  | "write"
  /** An answer of the provider, a hook or the destination. */
  | "question"
  /** Whoever stores the message. The client's clock stands still. */
  | "delivery"
  /** That the client closes. */
  | "end";

/** What limits are made of. */
export interface TimerLimits {
  /** The clock of the listener. */
  readonly deadlines: Deadlines;
  /** How long a client may be silent, in milliseconds. */
  readonly idleTimeoutMs: number;
}

/** Whose timer it is. */
export interface TimerOwner {
  /** The time is up, in whichever phase. */
  late(): void;
}

/** The clock of one connection. */
export class ConnectionTimer implements Watched {
  readonly #deadlines: Deadlines;
  readonly #deadline: Deadline;
  readonly #idleTimeoutMs: number;
  readonly #owner: TimerOwner;
  #phase: Phase = "preamble";
  /** What to do when the time is up, where the phase has its own way. */
  #onLate: (() => void) | undefined;
  /** When the login must have come that is required. */
  #loginBy: number;
  /** Whether the client's time is up for want of a login, and not of a word. */
  #needsLogin = false;
  /** Octets of the message since the deadline was renewed. */
  #progress = 0;

  /**
   * @param limits What the limits are made of.
   * @param owner Told when the time is up.
   */
  constructor({ deadlines, idleTimeoutMs }: TimerLimits, owner: TimerOwner) {
    this.#deadlines = deadlines;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#owner = owner;
    this.#deadline = deadlines.watch(this);
    this.#loginBy = deadlines.now() + LOGIN_MS;
  }

  /** What is waited for. */
  get phase(): Phase {
    return this.#phase;
  }

  /** The time, in milliseconds of the listener's clock. */
  get now(): number {
    return this.#deadlines.now();
  }

  /** What a client has not done in its time. */
  get lateFor(): "no-login" | "idle" {
    return this.#needsLogin ? "no-login" : "idle";
  }

  /** Whether the time for the login that is required is over. */
  get isLoginLate(): boolean {
    return this.#deadlines.now() >= this.#loginBy;
  }

  /** A login is to be had anew: its time begins again. */
  restartLogin(): void {
    this.#loginBy = this.#deadlines.now() + LOGIN_MS;
  }

  /**
   * Waits for something that has a limit of its own.
   *
   * @param phase What that is.
   * @param limitMs The limit, in milliseconds.
   * @param onLate Called in place of the owner when the time is up.
   */
  begin(
    phase: "preamble" | "silence" | "question",
    limitMs: number,
    onLate?: () => void,
  ): void {
    this.#phase = phase;
    this.#onLate = onLate;
    this.#renew(limitMs);
  }

  /** The client is to read, and has all its time for it. */
  beginWrite(lacksLogin: boolean): void {
    this.#enter("write");
    this.renewForClient(lacksLogin);
  }

  /** The client has read: its time begins anew. */
  written(lacksLogin: boolean): void {
    this.#enter("session");
    this.renewForClient(lacksLogin);
  }

  /** From here on it is the client that is waited for. */
  beginRead(): void {
    this.#enter("client");
  }

  /**
   * The client has sent something.
   *
   * @param octets How much of a message, if it is one: then some of it gives
   * it all its time again.
   */
  read(octets: number): void {
    this.#enter("session");
    this.#progress += octets;
    if (this.#progress >= PROGRESS_OCTETS) this.#renew(this.#idleTimeoutMs);
  }

  /**
   * The time of whoever stores a message is not the client's. If it is long,
   * the owner is told.
   */
  pause(): void {
    this.#enter("delivery");
    this.#deadline.pause();
    this.#deadline.renew(STALL_MS);
  }

  /** The owner is to be told again. */
  tellAgain(): void {
    this.#deadline.renew(STALL_MS);
  }

  /** The client's time goes on. */
  resume(): void {
    this.#deadline.resume();
  }

  /** From here on the client has little time. */
  beginEnd(): void {
    this.#enter("end");
    this.#renew(LINGER_MS);
  }

  /** Nothing is waited for any more. */
  stop(): void {
    this.#deadline.stop();
  }

  /** The client may be silent for a while, unless a login is due before. */
  renewForClient(lacksLogin: boolean): void {
    const left = lacksLogin
      ? Math.max(0, this.#loginBy - this.#deadlines.now())
      : Infinity;
    this.#needsLogin = left < this.#idleTimeoutMs;
    this.#renew(Math.min(left, this.#idleTimeoutMs));
  }

  /** The time is up. */
  expire(): void {
    if (this.#onLate === undefined) this.#owner.late();
    else this.#onLate();
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.#onLate = undefined;
  }

  #renew(milliseconds: number): void {
    this.#progress = 0;
    this.#deadline.renew(milliseconds);
  }
}
