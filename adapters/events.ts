/**
 * What the adapters tell their log. Named fields only, in the words of the
 * listener's events, so that both go into one log; never a secret.
 *
 * @module
 */

import type { AcceptFailedEvent, AuthEvent, AuthVia } from "../auth/events.ts";

/** Through which adapter a question has come. */
export type AdapterName = Exclude<AuthVia, "smtp">;

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

/** What an adapter tells its log: a union on `kind` that may grow. */
export type AdapterEvent =
  | AuthEvent
  | AdapterClosedEvent
  | AcceptFailedEvent;

/** Takes what an adapter tells its log. */
export type AdapterReport = (event: AdapterEvent) => void;
