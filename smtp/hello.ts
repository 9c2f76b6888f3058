/**
 * What the listener says of itself after EHLO and HELO.
 *
 * @module
 */

import type { SmtpReply } from "../auth/replies.ts";
import { MECHANISMS } from "../auth/sasl.ts";
import type { SessionRules } from "./actions.ts";
import type { SessionStanding } from "./sequence.ts";

/**
 * The answer to EHLO, with the extensions that can be used right now, or to
 * HELO (RFC 5321 section 4.1.1.1).
 */
export function helloReply(
  verb: "EHLO" | "HELO",
  rules: SessionRules,
  now: SessionStanding,
): SmtpReply {
  if (verb === "HELO") return { code: 250, text: rules.serverName };
  const lines = [
    rules.serverName,
    "PIPELINING",
    `SIZE ${rules.maxMessageOctets}`,
    "8BITMIME",
    "SMTPUTF8",
    "ENHANCEDSTATUSCODES",
  ];
  if (rules.startTls && !now.tls) lines.push("STARTTLS");
  if (now.authAllowed && !now.authenticated) {
    lines.push(`AUTH ${MECHANISMS.join(" ")}`);
  }
  return { code: 250, text: lines.join("\n") };
}
