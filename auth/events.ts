/**
 * What a log is told of a login, whoever has asked. Named fields only, so that
 * no secret can come along.
 *
 * @module
 */

import type { AuthReason } from "./reasons.ts";

/** Through what a login has come: our own listener, or an adapter. */
export type AuthVia =
  | "smtp"
  | "dovecot"
  | "saslauthd"
  | "nginx"
  | "http"
  | "smtp-server";

/** A login has been decided, or has come to nothing. Each ends in one event. */
export interface AuthEvent {
  /** Tells the events apart. */
  readonly kind: "auth";
  /** Through what it has come. */
  readonly via: AuthVia;
  /**
   * `ok`, `invalid` (a wrong password, 535), `failure` (nobody could tell,
   * 454), or `error` where no provider was asked.
   */
  readonly outcome: "ok" | "invalid" | "failure" | "error";
  /** The listener's reply code; absent if the client left without one. */
  readonly code?: number;
  /** Why, from a closed set of words. */
  readonly reason: AuthReason;
  /** The reason's detail, such as a status number or what a provider threw. */
  readonly detail?: string;
  /** The mechanism in upper case; `""` if none is known. */
  readonly mechanism: string;
  /**
   * The user name, as far as the exchange came: the canonical one of a user who
   * was accepted, else as it was typed.
   */
  readonly username?: string;
  /** The mail client's address; `""` if an adapter does not learn it. */
  readonly remoteIp: string;
  /** Whether the connection to our listener is encrypted. */
  readonly tls?: boolean;
  /** How long the provider took, in milliseconds. */
  readonly milliseconds: number;
}

/** A connection could not be accepted, for want of file descriptors mostly. */
export interface AcceptFailedEvent {
  /** Tells the events apart. */
  readonly kind: "acceptFailed";
  /** At whose port. */
  readonly via: AuthVia;
  /** What the system said. */
  readonly error: string;
}
