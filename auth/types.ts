/**
 * The words that everything else is built from: what is asked, who answers,
 * and what the answers are.
 *
 * @module
 */

import type { ProviderReason } from "./reasons.ts";

/**
 * What a provider answers: may this user send?
 *
 * The object names the three answers; the type of the same name is their
 * union, so plain strings work as well.
 *
 * @example Answer with the object or with the string
 * ```ts
 * import { AuthDecision } from "@meowmail/smtpauth";
 *
 * const yes: AuthDecision = AuthDecision.authOk;
 * const alsoYes: AuthDecision = "authOk";
 * console.assert(yes === alsoYes);
 * ```
 * @category Words
 */
export const AuthDecision: {
  /** The user name and password are wrong. The client reads `535 5.7.8`. */
  readonly authInvalid: "authInvalid";
  /** The user may send. The client reads `235 2.7.0`. */
  readonly authOk: "authOk";
  /**
   * Nobody could tell: the back end is down, slow or talks nonsense. The
   * client reads `454 4.7.0`, keeps its password and tries again later.
   */
  readonly authFailure: "authFailure";
} = Object.freeze({
  authInvalid: "authInvalid",
  authOk: "authOk",
  authFailure: "authFailure",
});

/**
 * One of the three answers that {@linkcode AuthDecision} names.
 *
 * @category Words
 */
export type AuthDecision = typeof AuthDecision[keyof typeof AuthDecision];

/**
 * How far an AUTH exchange has come: which response the server waits for.
 *
 * Later mechanisms add steps, so treat the set as open.
 *
 * @category Words
 */
export const AuthProgress: {
  /** No exchange is under way. */
  readonly apNone: "apNone";
  /** The PLAIN message comes next (RFC 4616). */
  readonly apPlain: "apPlain";
  /** LOGIN's user name comes next. */
  readonly apLoginUser: "apLoginUser";
  /** LOGIN's password comes next. */
  readonly apLoginPass: "apLoginPass";
  /** A message with a token comes next (RFC 7628). */
  readonly apToken: "apToken";
  /** The refusal has been explained; one line comes, and then the reply. */
  readonly apTokenError: "apTokenError";
} = Object.freeze({
  apNone: "apNone",
  apPlain: "apPlain",
  apLoginUser: "apLoginUser",
  apLoginPass: "apLoginPass",
  apToken: "apToken",
  apTokenError: "apTokenError",
});

/**
 * One of the steps that {@linkcode AuthProgress} names.
 *
 * @category Words
 */
export type AuthProgress = typeof AuthProgress[keyof typeof AuthProgress];

/**
 * What a provider is asked. Everything in it comes from the client.
 *
 * @category Words
 */
export interface AuthRequest {
  /**
   * Who the client says it is: no control characters, and not empty. Only with
   * OAUTHBEARER it may be empty, where the token says who it is: then a yes must
   * have a `user`, or it counts as `authFailure`.
   */
  readonly username: string;
  /** The password, or the token: not empty, no NUL. Do not log it. */
  readonly password: string;
  /** The SASL mechanism in upper case, such as `PLAIN` or `OAUTHBEARER`. */
  readonly mechanism: string;
  /** The client's address, IPv4 without an `::ffff:` prefix; `""` if unknown. */
  readonly remoteIp: string;
  /** What the client said after EHLO or HELO, as it said it; `""` if unknown. */
  readonly heloName: string;
}

/**
 * How much a user may send. 0 is no limit; where a member is absent, the limit
 * for everybody holds.
 *
 * @category Words
 */
export interface SendingLimits {
  /** Recipients in 24 hours, summed over messages. */
  readonly recipientsPerDay?: number;
  /** Messages in a minute. */
  readonly messagesPerMinute?: number;
}

/**
 * What a yes brings along about the user. All of it may be absent.
 *
 * @category Words
 */
export interface LoginRights {
  /**
   * The user's canonical name: not empty, no control characters. Envelope, log
   * and limits take it in place of what was typed.
   */
  readonly user?: string;
  /**
   * Who the user may be in MAIL FROM: addresses, and `@domain` for a whole
   * domain without its subdomains. Absent: anybody; `[]`: nobody but `<>`.
   */
  readonly senders?: readonly string[];
  /** How much the user may send. Absent: as much as everybody. */
  readonly limits?: SendingLimits;
  /** When the yes ends, in milliseconds since 1970: no cache keeps it longer. */
  readonly expiresAt?: number;
  /** Any JSON of up to 4096 octets, for hooks and destinations; never logged. */
  readonly context?: unknown;
}

/**
 * Why a result is what it is, for the log only.
 *
 * @category Words
 */
export interface ResultCause {
  /** From a closed set of words. Absent: what the decision says by itself. */
  readonly reason?: ProviderReason;
  /**
   * The reason's detail: a status number, which member was wrong, what a
   * provider threw. Never a secret.
   */
  readonly detail?: string;
}

/**
 * The user may send.
 *
 * @category Words
 */
export interface Accepted extends LoginRights, ResultCause {
  /** Tells the results apart. */
  readonly decision: "authOk";
}

/**
 * Why a token is refused, in the members of RFC 7628 section 3.2.2. The client
 * reads it before its `535`, in the form that its mechanism has for it.
 *
 * @category Words
 */
export interface TokenError {
  /**
   * The error code (RFC 6750 section 3.1): `invalid_request`, `invalid_token`
   * or `insufficient_scope`; another one passes as it is. Up to 64 octets of
   * printable ASCII without a space, `"` and `\`.
   */
  readonly status: string;
  /** The scope that a token must have, as in OAuth; up to 512 octets. */
  readonly scope?: string;
  /**
   * Where the issuer's metadata are, for clients that can find their way from
   * there: an http(s) URL of up to 512 octets. JSON has it as
   * `openid-configuration`.
   */
  readonly openidConfiguration?: string;
}

/**
 * The user may not, or nobody could tell.
 *
 * @category Words
 */
export interface Refused extends ResultCause {
  /** Tells the results apart. */
  readonly decision: "authInvalid" | "authFailure";
  /**
   * With `authInvalid`: what the client reads in place of our words. Printable
   * ASCII, one line, up to 200 octets; anything else is left out.
   */
  readonly text?: string;
  /**
   * With `authInvalid` and a token: why, for the client. Where a member is not
   * what it should be, all of it is left out. Default: `invalid_token`.
   */
  readonly tokenError?: TokenError;
}

/**
 * A decision with what belongs to it: a union on `decision`.
 *
 * @category Words
 */
export type AuthResult = Accepted | Refused;

/**
 * Decides whether a user may send. Any function of this shape is a provider.
 *
 * A bare decision is enough; a result may say more, such as who the user may be
 * as a sender. A provider that throws, rejects or returns something else counts
 * as `authFailure`: ask it through `askProvider`, which takes care of that.
 *
 * An `async` function with one answer only is `async () => AuthDecision.authOk`:
 * TypeScript takes `async () => "authOk"` for one that answers any string.
 *
 * @param request Who wants to send, and from where.
 * @param signal Aborted when the client has gone, so that work nobody waits
 * for can stop.
 * @returns The decision or a result, at once or later.
 *
 * @example A provider of one's own
 * ```ts
 * import { askProvider, type AuthProvider } from "@meowmail/smtpauth";
 *
 * const onlyFromHome: AuthProvider = ({ remoteIp, username }) =>
 *   remoteIp.startsWith("192.0.2.")
 *     ? { decision: "authOk", senders: [`${username}@example.com`] }
 *     : "authInvalid";
 *
 * const { decision } = await askProvider(onlyFromHome, {
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category Words
 */
export type AuthProvider = (
  request: AuthRequest,
  signal?: AbortSignal,
) => AuthDecision | AuthResult | Promise<AuthDecision | AuthResult>;

/**
 * What every provider and wrapper of this package is: one that always answers
 * with a result, later, and neither throws nor rejects.
 *
 * @param request Who wants to send, and from where.
 * @param signal Aborted when the client has gone.
 * @returns The result.
 * @category Words
 */
export type ReadyProvider = (
  request: AuthRequest,
  signal?: AbortSignal,
) => Promise<AuthResult>;
