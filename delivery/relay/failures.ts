/**
 * What goes wrong between us and the next hop: in the words of the log, and in
 * those of the client, which is never told that its password is wrong.
 *
 * @module
 */

import type { SmtpReply } from "../../smtp/protocol/replies.ts";

/**
 * Why a message could not be handed on, or may not have been: a closed set.
 *
 * - `relay-unreachable`: no connection, or one on which no session came about;
 *   the next hop is closing (421).
 * - `relay-tls`: no TLS where there must be, or a certificate that is not good.
 * - `relay-credentials`: the next hop does not take our login, or wants one.
 * - `relay-token`: the token endpoint gives no token.
 * - `relay-timeout`: no reply in time.
 * - `relay-closed`: the connection broke in the middle of a transaction.
 * - `relay-protocol`: what came is no SMTP.
 * - `relay-busy`: all connections are in use, for long.
 * - `relay-unknown`: the message was sent whole and its reply is lost. The next
 *   hop may have it; the client will send it again.
 *
 * @category A whole listener
 */
export type RelayReason =
  | "relay-unreachable"
  | "relay-tls"
  | "relay-credentials"
  | "relay-token"
  | "relay-timeout"
  | "relay-closed"
  | "relay-protocol"
  | "relay-busy"
  | "relay-unknown";

/** What went wrong. */
export interface Failure {
  /** In one word. */
  readonly reason: RelayReason;
  /** In its own words, for the log: no password, no token. */
  readonly detail: string;
}

/** A failure on its way to whoever waits for something else. */
export class RelayError extends Error implements Failure {
  /** Tells it from other errors. */
  override readonly name = "RelayError";
  readonly reason: RelayReason;
  readonly detail: string;

  constructor({ reason, detail }: Failure) {
    super(`${reason}: ${detail}`);
    this.reason = reason;
    this.detail = detail;
  }
}

function reply(enhanced: string, text: string): SmtpReply {
  return Object.freeze({ code: 451, enhanced, text });
}

const UNREACHABLE = reply(
  "4.4.1",
  "The next server cannot be reached, try later",
);
const NO_LOGIN = reply(
  "4.7.0",
  "The next server does not let us in, try later",
);
const BROKEN = reply("4.4.2", "The next server has not answered, try later");

/** What the client reads. RFC 3463 section 3.5: X.4.1, X.4.2, X.4.5. */
export const FAILURE_REPLIES: Readonly<Record<RelayReason, SmtpReply>> = {
  "relay-unreachable": UNREACHABLE,
  "relay-tls": UNREACHABLE,
  "relay-credentials": NO_LOGIN,
  "relay-token": NO_LOGIN,
  "relay-timeout": BROKEN,
  "relay-closed": BROKEN,
  "relay-protocol": BROKEN,
  "relay-busy": reply("4.4.5", "Too many messages are on their way, try later"),
  "relay-unknown": BROKEN,
};

/** A reply of the next hop, for the log. */
export function shown({ code, enhanced, text }: SmtpReply): string {
  return [code, enhanced, ...text.split("\n")].filter(Boolean).join(" ")
    .slice(0, MAX_LINE);
}

/** The longest line that is handed on. RFC 5321 section 4.5.3.1.5 wants 512. */
const MAX_LINE = 480;

/** The most lines that are handed on. */
const MAX_LINES = 20;

/** A reply of the next hop, for the client: no longer than it can bear. */
export function handedOn(reply: SmtpReply): SmtpReply {
  if (reply.text.length <= MAX_LINE && !reply.text.includes("\n")) return reply;
  const lines = reply.text.split("\n", MAX_LINES);
  const text = lines.map((line) => line.slice(0, MAX_LINE)).join("\n");
  return { ...reply, text };
}
