/**
 * What is counted over a whole connection, STARTTLS included.
 *
 * @module
 */

import type { Refusal, RefusalReason } from "./refusals.ts";
import type { Verb } from "./commands.ts";

/** How many commands of a connection may fail before it is closed. */
const MAX_ERRORS = 20;

/**
 * How many commands a connection may have without the login that is required.
 * A client needs about five; one that says NOOP again and again would keep a
 * place from others for ever.
 */
const MAX_COMMANDS = 100;

/** A kind of refusal on a connection, and how often there was one. */
export interface RefusedCommands {
  /** The verb of the first of these commands; `""` if it was none. */
  readonly verb: Verb | "";
  /** The reply code. */
  readonly code: number;
  /** Why, from a closed set of words. */
  readonly reason: RefusalReason;
  /** How many commands were refused so. */
  readonly count: number;
  /** Who had logged in, if somebody had. */
  readonly username?: string;
}

/** The counts of one connection. */
export class Tally {
  #commands = 0;
  #errors = 0;
  #authFailures = 0;
  /** Most connections have none. */
  #refused: Map<RefusalReason, RefusedCommands> | undefined;

  /** Counts a command without a login; whether it is one too many. */
  command(): boolean {
    return ++this.#commands > MAX_COMMANDS;
  }

  /** Somebody has logged in: what came before does not count any more. */
  loggedIn(): void {
    this.#commands = 0;
  }

  /** Counts a command that has failed; whether it is the last. */
  error(): boolean {
    return ++this.#errors >= MAX_ERRORS;
  }

  /** Counts a failed login; whether it is the last of as many as there may be. */
  authFailure(most: number): boolean {
    return ++this.#authFailures >= most;
  }

  /** Notes a refusal for the log. */
  refused(
    verb: Verb | "",
    { code, reason }: Refusal,
    username: string | undefined,
  ): void {
    this.#refused ??= new Map();
    const known = this.#refused.get(reason);
    this.#refused.set(reason, {
      ...(known ?? { verb, code, reason }),
      ...(username === undefined ? {} : { username }),
      count: (known?.count ?? 0) + 1,
    });
  }

  /** Takes what has been refused so far, in order. */
  takeRefused(): readonly RefusedCommands[] {
    const refused = [...this.#refused?.values() ?? []];
    this.#refused = undefined;
    return refused;
  }
}
