/**
 * The lines that go in front of a stored message: its envelope, and where it
 * came from (RFC 5321 section 4.4).
 *
 * @module
 */

import type { Envelope } from "../smtp/protocol/envelope.ts";

/** What the Received line says about this end. */
export interface TraceStamp {
  /** The name of this server. */
  readonly serverName: string;
  /** What the message is called here. */
  readonly id: string;
  /** When it arrived. */
  readonly date: Date;
}

/**
 * The trace lines of a message, with their CRLFs.
 *
 * The envelope stands in Return-Path, X-Original-To and X-Original-User and must
 * not leave the place: whoever hands the message on strips it. The Received line
 * names no recipient, because it does leave, and other recipients would read it.
 * A client may send lines of the same names: they stand behind Received.
 */
export function traceLines(envelope: Envelope, stamp: TraceStamp): string {
  const { sender, recipients, user } = envelope;
  return [
    `Return-Path: <${sender}>`,
    ...recipients.map((recipient) => `X-Original-To: ${recipient}`),
    ...(user === undefined || user === ""
      ? []
      : [`X-Original-User: ${inHeader(user)}`]),
    receivedField(envelope, stamp),
  ].join("\r\n");
}

/** The Received field of a message, with its CRLFs. */
export function receivedField(envelope: Envelope, stamp: TraceStamp): string {
  const { heloName, remoteIp } = envelope;
  return [
    `Received: from ${harmless(heloName)} (${addressLiteral(remoteIp)})`,
    `\tby ${stamp.serverName} with ${protocolWord(envelope)} id ${stamp.id};`,
    `\t${internetDate(stamp.date)}`,
    "",
  ].join("\r\n");
}

/** How a message came in: the words of RFC 3848 and, for UTF8SMTP, RFC 6531. */
export function protocolWord(envelope: Envelope): string {
  const { parameters, tls, user, esmtp } = envelope;
  const authenticated = user !== undefined;
  const extended = esmtp || tls || authenticated;
  const base = parameters.smtpUtf8 ? "UTF8SMTP" : extended ? "ESMTP" : "SMTP";
  return base + (tls ? "S" : "") + (authenticated ? "A" : "");
}

/** RFC 5321 section 4.1.3. */
function addressLiteral(ip: string): string {
  return ip.includes(":") ? `[IPv6:${ip}]` : `[${ip}]`;
}

/** The longest user name in a header, in characters: a line has its limits. */
const MAX_USER = 256;

/**
 * A user name in a header, as it is but for what could begin another line or
 * make the line too long (RFC 5322 section 2.1.1, RFC 6532 section 3.2).
 */
function inHeader(user: string): string {
  const whole = user.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?");
  return whole.length > MAX_USER ? `${whole.slice(0, MAX_USER)}…` : whole;
}

/** The client's word in a header: it can't say more than a name. */
function harmless(heloName: string): string {
  return heloName.slice(0, 255).replaceAll(/[^A-Za-z0-9._:[\]-]/g, "?");
}

let lastSecond = NaN;
let lastDate = "";

/** RFC 5322 section 3.3. Made once a second: it takes longer than the rest. */
function internetDate(date: Date): string {
  const second = Math.floor(date.getTime() / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = date.toUTCString().replace("GMT", "+0000");
  }
  return lastDate;
}
