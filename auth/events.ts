/**
 * What a log is told of logins and of connections, by our own listener and by
 * the adapters alike. Named fields only, never a whole object of somebody
 * else's, so that no secret can come along.
 *
 * @module
 */

import type { AuthReason } from "./reasons.ts";
import type { AuthDecision, SendingLimits } from "./types.ts";

/**
 * Through what a question has come: our own listener, or an adapter.
 *
 * @category Words
 */
export type AuthVia =
  | "smtp"
  | "dovecot"
  | "saslauthd"
  | "nginx"
  | "http"
  | "smtp-server"
  | "policy";

/**
 * What every event about a connection says.
 *
 * @category Words
 */
export interface ConnectionEvent {
  /** Through what it has come. */
  readonly via: AuthVia;
  /**
   * The connection's id, in letters and digits: the same in all its events, and
   * unlike that of any other connection, of this process or another one. An
   * adapter without connections of its own has one for each question.
   */
  readonly id: string;
  /** The mail client's address; `""` if an adapter does not learn it. */
  readonly remoteIp: string;
  /** Whether the connection to our listener is encrypted. */
  readonly tls?: boolean;
}

/**
 * A login has been decided, or has come to nothing. Each ends in one event.
 *
 * @category Words
 */
export interface AuthEvent extends ConnectionEvent {
  /** Tells the events apart. */
  readonly kind: "auth";
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
  /** How long the provider took, in milliseconds, to the microsecond. */
  readonly milliseconds: number;
}

/**
 * A connection has been accepted, and has a place.
 *
 * @category Words
 */
export interface OpenedEvent extends ConnectionEvent {
  /** Tells the events apart. */
  readonly kind: "opened";
}

/**
 * A connection that was in plain text is encrypted from here on: STARTTLS.
 *
 * @category Words
 */
export interface SecuredEvent extends ConnectionEvent {
  /** Tells the events apart. */
  readonly kind: "secured";
}

/**
 * Why a connection has ended. All but the first three are somebody's fault, or
 * a limit.
 *
 * @category Words
 */
export type ClosedReason =
  /** The client has taken its leave, or has its one answer. */
  | "quit"
  /** The client has closed, or the network has, whatever was under way. */
  | "client-gone"
  /** The server stops. */
  | "shutdown"
  /** The login that is required has not come in time. */
  | "no-login"
  | "too-many-failures"
  | "too-many-errors"
  /** A hook or a destination has answered 421. */
  | "not-taken"
  /** A web browser or a scanner. */
  | "http"
  | "idle"
  | "too-many-connections"
  /** It has talked before it was greeted. */
  | "early-talker"
  /** It does not come from a network of `proxyProtocolFrom`. */
  | "proxy-untrusted"
  /** It does, and does not begin with a header of the PROXY protocol. */
  | "proxy-malformed"
  | "tls-failed"
  /** All that Postfix and Exim understand where nobody could tell about a login. */
  | "temporary-failure"
  /** What came to an adapter is not what its protocol says. */
  | "bad-protocol"
  /** A fault of our own. */
  | "error";

/**
 * A connection has ended, or is about to: there is one such event for each that
 * was opened, and one for each that had no place.
 *
 * @category Words
 */
export interface ClosedEvent extends ConnectionEvent {
  /** Tells the events apart. */
  readonly kind: "closed";
  /** Why, from a closed set of words. */
  readonly reason: ClosedReason;
  /** What went wrong, for `tls-failed`, `bad-protocol` and `error`. */
  readonly error?: string;
  /**
   * One of a flood, for `too-many-connections`: others were turned away
   * just before, so that a log has its line already.
   */
  readonly again?: true;
}

/**
 * A connection could not be accepted, for want of file descriptors mostly.
 *
 * @category Words
 */
export interface AcceptFailedEvent {
  /** Tells the events apart. */
  readonly kind: "acceptFailed";
  /** At whose port. */
  readonly via: AuthVia;
  /** What the system said. */
  readonly error: string;
}

/**
 * A sender has come to a limit, and was refused: once a window for each user,
 * or address, and limit, however often it tries. Where it is no newsletter, a
 * password may be stolen.
 *
 * @category Words
 */
export interface LimitReachedEvent {
  /** Tells the events apart. */
  readonly kind: "limitReached";
  /** The user; absent for a client that may send without a login. */
  readonly username?: string;
  /** The client's address; `""` if it is not known. */
  readonly remoteIp: string;
  /** Which limit. */
  readonly limit: keyof SendingLimits;
  /** How much it allows. */
  readonly most: number;
}

/**
 * The store that is shared has gone: each process counts by itself meanwhile.
 * There is one such event for each outage, however many notice it.
 *
 * @category What is remembered
 */
export interface StateAwayEvent {
  /** Tells the events apart. */
  readonly kind: "state";
  /** What has happened. */
  readonly outcome: "away";
  /**
   * Why: it has not answered in time, has refused or can't be reached, or its
   * answer made no sense.
   */
  readonly reason: "timeout" | "error" | "nonsense";
  /** What it or its client said. */
  readonly detail?: string;
}

/**
 * The store that is shared is back: all count together again.
 *
 * @category What is remembered
 */
export interface StateBackEvent {
  /** Tells the events apart. */
  readonly kind: "state";
  /** What has happened. */
  readonly outcome: "back";
  /** How long it was away, in milliseconds. */
  readonly milliseconds: number;
}

/**
 * What the fallback of a shared store tells.
 *
 * @category What is remembered
 */
export type StateEvent = StateAwayEvent | StateBackEvent;

/**
 * What every server here can tell its log: a union on `kind` that may grow. The
 * listener has a few more, about mail.
 *
 * @category Words
 */
export type ServerEvent =
  | AuthEvent
  | OpenedEvent
  | SecuredEvent
  | ClosedEvent
  | AcceptFailedEvent
  | LimitReachedEvent;

/** The word for what a provider has decided. */
export const OUTCOMES: Readonly<Record<AuthDecision, AuthEvent["outcome"]>> = {
  authOk: "ok",
  authInvalid: "invalid",
  authFailure: "failure",
};

/** The word for the reply that an AUTH has come to; absent: to none. */
export function outcomeOfCode(
  code: number | undefined,
): AuthEvent["outcome"] {
  switch (code) {
    case 235:
      return "ok";
    case 535:
      return "invalid";
    case 454:
      return "failure";
    default:
      return "error";
  }
}
