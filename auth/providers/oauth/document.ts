/**
 * What an issuer publishes, as we know it: fetched when somebody first needs
 * it, and kept when a later fetch fails.
 *
 * @module
 */

import { pause, race } from "../../../lib/race.ts";
import { type Fetched, type Outage, outage } from "./issuer_http.ts";

/**
 * How old a document may grow, in milliseconds, before it is fetched again: a
 * key that the issuer has withdrawn is good for an hour at most.
 */
const MAX_AGE_MS = 3_600_000;

/**
 * How long after one refetch there is no other, in milliseconds, whatever it
 * came to and whoever asks: strangers must not drive requests to the issuer.
 */
const REFETCH_PAUSE_MS = 300_000;

/**
 * How long whoever comes waits for a newer one where the old one is good still,
 * in milliseconds: a silent issuer must not hold everybody up.
 */
const REFRESH_WAIT_MS = 1_000;

/**
 * How long after a failure there is no other fetch while nothing is known at
 * all: whoever asks waits for that long.
 */
const RETRY_PAUSE_MS = 1_000;

/** How to get a document. */
export interface DocumentRules<T> {
  /** Fetches it. Must not reject. */
  readonly fetch: () => Promise<Fetched<T>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A document of an issuer's. All who need it at the same time share a fetch. */
export class IssuerDocument<T> {
  readonly #rules: DocumentRules<T>;
  #known: { readonly value: T; readonly fetchedAt: number } | undefined;
  /** The fetch that is under way. Not aborted: others may wait for it. */
  #fetching: Promise<Fetched<T>> | undefined;
  /** When the last refetch began. */
  #refetchedAt = -Infinity;
  /** Why the last fetch has failed, if it has. */
  #failure: Outage | undefined;
  /** When it has, by a clock that nobody sets. */
  #failedAt = -Infinity;

  /** @param rules How to get it. */
  constructor(rules: DocumentRules<T>) {
    this.#rules = rules;
  }

  /** The document, as fresh as can be had. */
  async get(signal?: AbortSignal): Promise<Fetched<T>> {
    const known = this.#known;
    if (known === undefined) return await this.#fetched(signal);
    if (!this.#isWithin(known.fetchedAt, MAX_AGE_MS) && this.#mayRefetch()) {
      const refetching = this.#refetched(signal);
      await race(() => refetching, { limit: REFRESH_WAIT_MS, signal });
    }
    return { kind: "fetched", value: this.#known?.value ?? known.value };
  }

  /**
   * A newer document, as there is something that this one lacks.
   *
   * @param known The one that lacks it.
   * @returns The same one if it is the newest that there is; an outage if
   * nobody can tell.
   */
  async newer(known: T, signal?: AbortSignal): Promise<Fetched<T>> {
    const now = this.#known;
    if (now !== undefined && now.value !== known) {
      return { kind: "fetched", value: now.value };
    }
    if (this.#fetching !== undefined || this.#mayRefetch()) {
      return await this.#refetched(signal);
    }
    return this.#failure ?? { kind: "fetched", value: known };
  }

  /**
   * A member of the document, or of a newer one if this one lacks it: an issuer
   * may have left it out once.
   */
  async member<M>(
    memberOf: (value: T) => M | undefined,
    signal?: AbortSignal,
  ): Promise<Fetched<M | undefined>> {
    let known = await this.get(signal);
    if (known.kind === "fetched" && memberOf(known.value) === undefined) {
      known = await this.newer(known.value, signal);
    }
    return known.kind === "fetched"
      ? { kind: "fetched", value: memberOf(known.value) }
      : known;
  }

  #mayRefetch(): boolean {
    return !this.#isWithin(this.#refetchedAt, REFETCH_PAUSE_MS);
  }

  #refetched(signal: AbortSignal | undefined): Promise<Fetched<T>> {
    if (this.#fetching === undefined) this.#refetchedAt = this.#rules.now();
    return this.#fetched(signal);
  }

  async #fetched(signal: AbortSignal | undefined): Promise<Fetched<T>> {
    const fetching = this.#fetching ??= this.#fetch()
      .finally(() => this.#fetching = undefined);
    const raced = await race(() => fetching, { signal });
    return raced.kind === "done" ? raced.value : outage("client-gone", "");
  }

  async #fetch(): Promise<Fetched<T>> {
    const sinceFailure = performance.now() - this.#failedAt;
    if (this.#known === undefined && sinceFailure < RETRY_PAUSE_MS) {
      await pause(RETRY_PAUSE_MS - sinceFailure);
    }
    const fetched = await this.#rules.fetch();
    if (fetched.kind === "fetched") {
      const { value } = fetched;
      this.#known = { value, fetchedAt: this.#rules.now() };
      this.#failure = undefined;
    } else {
      this.#failure = fetched;
      this.#failedAt = performance.now();
    }
    return fetched;
  }

  /** Whether something is not longer ago than that, nor ahead of the clock. */
  #isWithin(at: number, ms: number): boolean {
    const now = this.#rules.now();
    return at <= now && now - at < ms;
  }
}
