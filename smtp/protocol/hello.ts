/**
 * What the listener says of itself after EHLO and HELO.
 *
 * @module
 */

import type { SmtpReply } from "../../auth/replies.ts";
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
  if (verb === "HELO") return once(rules, 0, () => rules.serverName);
  const startTls = rules.startTls && !now.tls;
  const auth = now.authAllowed && !now.authenticated;
  const variant = 1 + (startTls ? 1 : 0) + (auth ? 2 : 0);
  return once(rules, variant, () => ehloText(rules, startTls, auth));
}

function ehloText(rules: SessionRules, startTls: boolean, auth: boolean) {
  const lines = [
    rules.serverName,
    "PIPELINING",
    `SIZE ${rules.maxMessageOctets}`,
    "8BITMIME",
    "SMTPUTF8",
  ];
  // Never the last line: probes and scripts look for `250-STARTTLS` and
  // `250-AUTH`, as almost all servers say it.
  if (startTls) lines.push("STARTTLS");
  if (auth) {
    const names = rules.mechanisms.map(({ name }) => name);
    lines.push(`AUTH ${names.join(" ")}`);
  }
  lines.push("ENHANCEDSTATUSCODES");
  return lines.join("\n");
}

/** What was said before under the same rules: frozen, it is encoded once. */
const said = new WeakMap<SessionRules, SmtpReply[]>();

function once(
  rules: SessionRules,
  variant: number,
  text: () => string,
): SmtpReply {
  let replies = said.get(rules);
  if (replies === undefined) said.set(rules, replies = []);
  return replies[variant] ??= Object.freeze({ code: 250, text: text() });
}

const greetings = new WeakMap<SessionRules, SmtpReply>();

/**
 * The first words of a connection. Prometheus' blackbox exporter wants some
 * behind ESMTP, in the module that everybody copies.
 */
export function greeting(rules: SessionRules): SmtpReply {
  const known = greetings.get(rules);
  if (known !== undefined) return known;
  const text = `${rules.serverName} ESMTP ready`;
  const reply = Object.freeze({ code: 220, text });
  greetings.set(rules, reply);
  return reply;
}
