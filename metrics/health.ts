/**
 * Whether the service can do its work: for load balancers and the like.
 *
 * @module
 */

import { reasonOf } from "../auth/reasons.ts";
import type { AuthResult } from "../auth/types.ts";
import type { CountedEvent } from "./observer.ts";

/** So many calls in a row must fail: one is nothing, and two may be chance. */
const FAILURES = 3;

/**
 * How long failures count where nobody tries again, in milliseconds: who sends
 * no more clients here must find out when all is well again.
 */
const MEMORY_MS = 30_000;

/** The last calls of somebody else. */
class LastCalls {
  #failures = 0;
  #why = "";
  #last = -Infinity;

  succeeded(): void {
    this.#failures = 0;
  }

  failed(why: string, now: number): void {
    this.#failures++;
    this.#why = why;
    this.#last = now;
  }

  /** Why they failed, if the last ones all did. */
  fault(now: number): string | undefined {
    return this.#failures >= FAILURES && now - this.#last < MEMORY_MS
      ? this.#why
      : undefined;
  }
}

/** Follows how back end and next hop do, and whether we are there ourselves. */
export class Health {
  readonly #now: () => number;
  readonly #backend = new LastCalls();
  readonly #hop = new LastCalls();
  #state: "starting" | "serving" | "stopping" = "starting";
  /** The connection whose message the relay could not hand on. */
  #failedId: string | undefined;

  /** @param now Milliseconds of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Everything is bound. */
  serving(): void {
    this.#state = "serving";
  }

  /** Nothing new is to come here. */
  stopping(): void {
    this.#state = "stopping";
  }

  /** The back end has answered, or has not. */
  readonly onAnswer = (result: AuthResult): void => {
    if (result.decision !== "authFailure") return this.#backend.succeeded();
    const reason = reasonOf(result);
    // That says nothing about the back end.
    if (reason !== "client-gone") this.#backend.failed(reason, this.#now());
  };

  /** What becomes of mail. */
  readonly onEvent = (event: CountedEvent): void => {
    if (event.kind === "relay") {
      this.#failedId = event.id;
      return this.#hop.failed(event.reason, this.#now());
    }
    if (event.kind !== "message") return;
    const { code, fault, id } = event;
    const isTold = id === this.#failedId;
    this.#failedId = undefined;
    // The client's doing, or told already.
    if (code === undefined || fault !== undefined || isTold) return;
    const isTemporary = code >= 400 && code < 500;
    if (isTemporary) this.#hop.failed(String(code), this.#now());
    else this.#hop.succeeded();
  };

  /** Why no client should be sent here; nothing if all is well. */
  lack(): string | undefined {
    if (this.#state !== "serving") return this.#state;
    const now = this.#now();
    const backend = this.#backend.fault(now);
    if (backend !== undefined) return `the back end fails: ${backend}`;
    const hop = this.#hop.fault(now);
    return hop === undefined ? undefined : `mail is not taken: ${hop}`;
  }
}
