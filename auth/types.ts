/**
 * The words that everything else is built from: what is asked, who answers,
 * and what the answers are.
 *
 * @module
 */

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

/** One of the three answers that {@linkcode AuthDecision} names. */
export type AuthDecision = typeof AuthDecision[keyof typeof AuthDecision];

/**
 * How far an AUTH exchange has come: which response the server waits for.
 *
 * Later mechanisms add steps, so treat the set as open.
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
} = Object.freeze({
  apNone: "apNone",
  apPlain: "apPlain",
  apLoginUser: "apLoginUser",
  apLoginPass: "apLoginPass",
});

/** One of the steps that {@linkcode AuthProgress} names. */
export type AuthProgress = typeof AuthProgress[keyof typeof AuthProgress];

/** What a provider is asked. Everything in it comes from the client. */
export interface AuthRequest {
  /** The authentication identity (authcid): not empty, no control characters. */
  readonly username: string;
  /** The password: not empty, no NUL. Do not log it. */
  readonly password: string;
  /** The SASL mechanism in upper case, such as `PLAIN` or `LOGIN`. */
  readonly mechanism: string;
  /** The client's address, IPv4 without an `::ffff:` prefix; `""` if unknown. */
  readonly remoteIp: string;
  /** What the client said after EHLO or HELO, as it said it; `""` if unknown. */
  readonly heloName: string;
}

/**
 * Decides whether a user may send. Any function of this shape is a provider.
 *
 * A provider that throws, rejects or returns something else counts as
 * `authFailure`: ask it through `askProvider`, which takes care of that.
 *
 * @param request Who wants to send, and from where.
 * @param signal Aborted when the client has gone, so that work nobody waits
 * for can stop.
 * @returns The decision, at once or later.
 *
 * @example A provider of one's own
 * ```ts
 * import type { AuthProvider } from "@meowmail/smtpauth";
 *
 * const onlyFromHome: AuthProvider = (request) =>
 *   request.remoteIp.startsWith("192.0.2.") ? "authOk" : "authInvalid";
 *
 * const decision = await onlyFromHome({
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk");
 * ```
 */
export type AuthProvider = (
  request: AuthRequest,
  signal?: AbortSignal,
) => AuthDecision | Promise<AuthDecision>;
