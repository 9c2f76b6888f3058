/**
 * The connections to a next hop: so many and no more, used again while they
 * last.
 *
 * @module
 */

import { newWaitingLine } from "../../lib/wait_queue.ts";
import { RelayError } from "./failures.ts";
import { Upstream, type UpstreamContext } from "./upstream.ts";

/**
 * How long to wait for a connection where all are in use, in milliseconds. A
 * client waits 300 s for the reply to MAIL (RFC 5321 section 4.5.3.2.2).
 */
const WAIT_MS = 240_000;

/** How long a connection stays without work, in milliseconds. */
const IDLE_MS = 30_000;

/** A connection for one transaction. */
export interface Lease {
  readonly upstream: Upstream;
  /** Whether there were transactions on it before. */
  readonly isUsed: boolean;
}

/** The connections to one next hop. */
export class UpstreamPool {
  readonly #context: UpstreamContext;
  readonly #maxConnections: number;
  /** How many are in use, or about to be. Idle ones are open besides. */
  #inUse = 0;
  readonly #idle: Upstream[] = [];
  readonly #queue = newWaitingLine();
  #closed = false;

  /** @param maxConnections How many there may be at a time. */
  constructor(context: UpstreamContext, maxConnections: number) {
    this.#context = context;
    this.#maxConnections = maxConnections;
  }

  /**
   * Takes a connection out, or opens one; whoever has it gives it back. First
   * come, first served.
   *
   * @param signal Gives up when aborted.
   * @throws {RelayError} If there is none to be had.
   */
  async take(signal: AbortSignal): Promise<Lease> {
    if (this.#inUse < this.#maxConnections) this.#inUse++;
    else if (!await this.#queue.wait(WAIT_MS, signal)) {
      const detail = `all ${this.#maxConnections} connections are in use`;
      throw new RelayError({ reason: "relay-busy", detail });
    }
    // None is opened while one is idle, so that there are never too many.
    const idle = this.#idle.pop();
    if (idle !== undefined) return { upstream: idle, isUsed: true };
    try {
      const upstream = await Upstream.open(this.#context, signal);
      upstream.over.then(() => this.#forget(upstream));
      return { upstream, isUsed: false };
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  /** Gives a connection back, on which no transaction is under way. */
  give(upstream: Upstream): void {
    if (upstream.isOpen && this.#closed) upstream.quit();
    else if (upstream.isOpen) {
      this.#idle.push(upstream);
      upstream.rest(IDLE_MS, () => {
        this.#forget(upstream);
        upstream.quit();
      });
    }
    this.#leave();
  }

  /** Closes all that are idle: if one is dead, the others most likely are. */
  clear(): void {
    for (const upstream of this.#idle.splice(0)) upstream.quit();
  }

  /** Keeps none from now on. */
  close(): void {
    this.#closed = true;
    this.clear();
  }

  /** One less is in use: who has waited longest has its place. */
  #leave(): void {
    if (!this.#queue.next()) this.#inUse--;
  }

  #forget(upstream: Upstream): void {
    const at = this.#idle.indexOf(upstream);
    if (at >= 0) this.#idle.splice(at, 1);
  }
}
