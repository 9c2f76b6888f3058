/**
 * What the adapters tell their log. Named fields only, in the words of the
 * listener's events, so that both go into one log; never a secret.
 *
 * @module
 */

import type { AuthReason } from "../auth/reasons.ts";

/** Through which adapter a question has come. */
export type AdapterName =
  | "dovecot"
  | "saslauthd"
  | "nginx"
  | "http"
  | "smtp-server";

/**
 * Why a question ended as it did: the reasons of the listener, and
 * `bad-token` for a caller that does not know the shared secret.
 */
export type AdapterReason = AuthReason | "bad-token";

/** A question has been answered, or has come to nothing. */
export interface AdapterAuthEvent {
  /** Tells the events apart. */
  readonly kind: "auth";
  /** Which adapter. */
  readonly via: AdapterName;
  /**
   * `ok`, `invalid` (a wrong password), `failure` (nobody could tell), or
   * `error` where no provider was asked.
   */
  readonly outcome: "ok" | "invalid" | "failure" | "error";
  /** Why, from a closed set of words. */
  readonly reason: AdapterReason;
  /** The reason's detail, such as a status number or what a provider threw. */
  readonly detail?: string;
  /** The mechanism in upper case; `""` if none is known. */
  readonly mechanism: string;
  /**
   * The user name, as far as the exchange came: the canonical one of a user who
   * was accepted, else as it was typed.
   */
  readonly username?: string;
  /** The mail client's address; `""` if the adapter does not learn it. */
  readonly remoteIp: string;
  /** How long the provider took, in milliseconds. */
  readonly milliseconds: number;
}

/** An adapter has ended a connection because of what came or did not come on it. */
export interface AdapterClosedEvent {
  /** Tells the events apart. */
  readonly kind: "closed";
  /** Which adapter. */
  readonly via: AdapterName;
  /** Why, from a closed set of words. */
  readonly reason: "bad-protocol" | "idle" | "too-many-connections" | "error";
  /** What went wrong, in words. */
  readonly error?: string;
}

/** A connection could not be accepted, for want of file descriptors mostly. */
export interface AdapterAcceptEvent {
  /** Tells the events apart. */
  readonly kind: "acceptFailed";
  /** Which adapter. */
  readonly via: AdapterName;
  /** What the system said. */
  readonly error: string;
}

/** What an adapter tells its log: a union on `kind` that may grow. */
export type AdapterEvent =
  | AdapterAuthEvent
  | AdapterClosedEvent
  | AdapterAcceptEvent;

/** Takes what an adapter tells its log. */
export type AdapterReport = (event: AdapterEvent) => void;
