/**
 * Every reply that an AUTH exchange can end in.
 *
 * @module
 */

import { readResult } from "./results.ts";
import type { AuthDecision, AuthResult } from "./types.ts";

/**
 * One reply of an SMTP server (RFC 5321 section 4.2).
 *
 * @category A server of your own
 */
export interface SmtpReply {
  /** The three-digit reply code, such as 535. */
  readonly code: number;
  /** The enhanced status code (RFC 3463), such as `5.7.8`; absent if none. */
  readonly enhanced?: string;
  /**
   * The text for people. A line feed in it makes a multi-line reply; the
   * listener sends `?` for whatever else is not printable ASCII.
   */
  readonly text: string;
}

/** The names of the replies in {@linkcode AUTH_REPLIES}. */
export type AuthReplyName =
  | "ok"
  | "invalid"
  | "failure"
  | "cancelled"
  | "notBase64"
  | "malformed"
  | "lineTooLong"
  | "unknownMechanism"
  | "noMechanism"
  | "outOfSequence";

/** Every reply an AUTH exchange can end in. RFC 4954 sections 4 and 6, RFC 5248. */
export const AUTH_REPLIES: Readonly<Record<AuthReplyName, SmtpReply>> = frozen({
  ok: { code: 235, enhanced: "2.7.0", text: "Authentication successful" },
  invalid: {
    code: 535,
    enhanced: "5.7.8",
    text: "Authentication credentials invalid",
  },
  failure: {
    code: 454,
    enhanced: "4.7.0",
    text: "Temporary authentication failure",
  },
  cancelled: { code: 501, enhanced: "5.7.0", text: "Authentication cancelled" },
  notBase64: {
    code: 501,
    enhanced: "5.5.2",
    text: "Cannot decode the response: not base64",
  },
  malformed: {
    code: 501,
    enhanced: "5.5.2",
    text: "Malformed authentication message",
  },
  lineTooLong: {
    code: 500,
    enhanced: "5.5.6",
    text: "Authentication exchange line is too long",
  },
  unknownMechanism: {
    code: 504,
    enhanced: "5.5.4",
    text: "Unrecognized authentication mechanism",
  },
  noMechanism: {
    code: 501,
    enhanced: "5.5.4",
    text: "Syntax: AUTH mechanism [initial-response]",
  },
  outOfSequence: {
    code: 503,
    enhanced: "5.5.1",
    text: "No authentication exchange is under way",
  },
});

/** Replies are handed out as they are: nobody may change what all others get. */
function frozen<T extends Readonly<Record<string, SmtpReply>>>(table: T): T {
  Object.values(table).forEach(Object.freeze);
  return Object.freeze(table);
}

/**
 * Tells which reply a decision or a result becomes on the wire.
 *
 * @param answer What the provider decided.
 * @returns `235 2.7.0` for authOk, `535 5.7.8` for authInvalid, with the
 * result's own `text` if it has one, and `454 4.7.0` for authFailure (RFC 4954
 * section 6).
 *
 * @example
 * ```ts
 * import { decisionReply } from "@meowmail/smtpauth";
 *
 * const reply = decisionReply("authFailure");
 * console.assert(reply.code === 454 && reply.enhanced === "4.7.0");
 * ```
 * @category A server of your own
 */
export function decisionReply(answer: AuthDecision | AuthResult): SmtpReply {
  const result = readResult(answer);
  switch (result.decision) {
    case "authOk":
      return AUTH_REPLIES.ok;
    case "authInvalid":
      return result.text === undefined
        ? AUTH_REPLIES.invalid
        : { ...AUTH_REPLIES.invalid, text: result.text };
    case "authFailure":
      return AUTH_REPLIES.failure;
    default:
      return result satisfies never;
  }
}
