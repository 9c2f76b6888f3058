/**
 * The values that an AUTH exchange moves through.
 *
 * @module
 */

import type { ProviderReason, SaslErrorReason } from "../reasons.ts";
import {
  AUTH_REPLIES,
  type AuthReplyName,
  type SmtpReply,
} from "../replies.ts";
import type { AuthProgress } from "../types.ts";

/**
 * The server has something to say and waits for the client's response.
 *
 * Send `334 ` and the challenge, then hand the client's line to
 * `continueSasl`. A step is a plain value that holds all there is to know, the
 * user name that LOGIN has sent already included: do not log it.
 *
 * @category A server of your own
 */
export interface SaslChallenge {
  /** Tells the steps apart. */
  readonly kind: "challenge";
  /** The mechanism in upper case. */
  readonly mechanism: string;
  /** Which response comes next. */
  readonly progress: AuthProgress;
  /** What follows `334 `, in base64; `""` for an empty challenge. */
  readonly challenge: string;
  /** The user name, once it is known. */
  readonly username?: string;
  /**
   * What the exchange ends in, where that is decided: the client is only to
   * hear why. Whatever it answers, `continueSasl` returns this, except that
   * `*` cancels (RFC 7628 section 3.2.2).
   */
  readonly refusal?: SaslError;
}

/**
 * The client has said who it is; whether that is true, a provider decides.
 *
 * @category A server of your own
 */
export interface SaslCredentials {
  /** Tells the steps apart. */
  readonly kind: "credentials";
  /** The mechanism in upper case. */
  readonly mechanism: string;
  /** The authentication identity (authcid); `""` if only the token says it. */
  readonly username: string;
  /** The password, or the token. Do not log it. */
  readonly password: string;
}

/**
 * The exchange is over. An error is a reply, so it can be sent as it is.
 *
 * @category A server of your own
 */
export interface SaslError extends SmtpReply {
  /** Tells the steps apart. */
  readonly kind: "error";
  /** Why, from a closed set, for a log: the text is for the client. */
  readonly reason: SaslErrorReason | ProviderReason;
}

/**
 * The decision has been made, and there is nothing more to say but the reply.
 *
 * @category A server of your own
 */
export interface SaslDone {
  /** Tells the steps apart. */
  readonly kind: "done";
  /** What the client reads. */
  readonly reply: SmtpReply;
}

/**
 * What an AUTH exchange is at: a challenge to send, credentials to check, or
 * an error to send.
 *
 * The union is open: later mechanisms add kinds. Give a `switch` on `kind` a
 * default branch that ends the exchange.
 *
 * @category A server of your own
 */
export type SaslStep = SaslChallenge | SaslCredentials | SaslError;

function error(reply: AuthReplyName, reason: SaslErrorReason): SaslError {
  return Object.freeze({ kind: "error", reason, ...AUTH_REPLIES[reply] });
}

type SaslErrorName =
  | "cancelled"
  | "notBase64"
  | "malformed"
  | "notUTF8"
  | "authzidDiffers"
  | "lineTooLong"
  | "unknownMechanism"
  | "noMechanism"
  | "outOfSequence";

/** Every way an exchange can fail before a provider is asked. */
export const SASL_ERRORS: Readonly<Record<SaslErrorName, SaslError>> = {
  cancelled: error("cancelled", "cancelled"),
  notBase64: error("notBase64", "bad-base64"),
  malformed: error("malformed", "bad-message"),
  // A password that no user can have is a wrong one, not a syntax error:
  // clients that still speak Latin-1 then ask their user again.
  notUTF8: error("invalid", "bad-utf8"),
  authzidDiffers: error("invalid", "authzid-differs"),
  lineTooLong: error("lineTooLong", "line-too-long"),
  unknownMechanism: error("unknownMechanism", "unknown-mechanism"),
  noMechanism: error("noMechanism", "bad-syntax"),
  outOfSequence: error("outOfSequence", "bad-sequence"),
};
