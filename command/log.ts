/**
 * The log of the command: a line per event, for people or for programs.
 *
 * @module
 */

import type { AuthEvent } from "../auth/events.ts";
import type { RelayEvent } from "../delivery/relay/options.ts";
import type {
  SmtpClosedEvent,
  SmtpEvent,
  SmtpMessageEvent,
  SmtpRefusedEvent,
} from "../smtp/events.ts";
import {
  cutName,
  cutText,
  shownName,
  shownText,
  shownWords,
  visibleJson,
} from "./quoting.ts";

/** How bad it is. */
export type Level = "info" | "warn" | "error";

/** Named values of a log line. */
export type Fields = Readonly<Record<string, unknown>>;

/** Something worth a line. */
export interface LogEntry {
  /** How bad it is. */
  readonly level: Level;
  /** What happened, for people. */
  readonly message: string;
  /** The same for programs. */
  readonly fields: Fields;
}

/** What the log says about an event of the listener or of the relay. */
export function entryOf(event: SmtpEvent | RelayEvent): LogEntry {
  const fields = fieldsOf(event);
  switch (event.kind) {
    case "auth":
      return { level: authLevel(event), message: authMessage(event), fields };
    case "message":
      return {
        level: messageLevel(event),
        message: mailMessage(event),
        fields,
      };
    case "refused":
      return {
        level: event.username === undefined ? "info" : "warn",
        message: refusedMessage(event),
        fields,
      };
    case "stepFailed":
      return {
        level: "error",
        message: `cannot tell about a ${event.step}: ${shownText(event.error)}`,
        fields,
      };
    case "relay": {
      const { hop, reason, detail } = event;
      const message = `next hop ${hop}: ${reason}: ${shownText(detail)}`;
      return { level: "error", message, fields };
    }
    case "closed": {
      const why = event.error === undefined
        ? ""
        : `: ${shownText(event.error)}`;
      const message = `closed ${event.remoteIp}: ${event.reason}${why}`;
      return { level: closedLevel(event), message, fields };
    }
    case "acceptFailed":
      return {
        level: "error",
        message: `cannot accept connections: ${shownText(event.error)}`,
        fields,
      };
    default:
      return event satisfies never;
  }
}

/** The values of an event; of somebody else's texts no more than a line. */
export function fieldsOf(
  { kind, ...values }: { readonly kind: string },
): Fields {
  const fields = Object.entries(values).map(([name, value]) => [
    name,
    typeof value !== "string"
      ? value
      : NAMES.has(name)
      ? cutName(value)
      : cutText(value),
  ]);
  return { event: kind, ...Object.fromEntries(fields) };
}

const NAMES: ReadonlySet<string> = new Set(["username", "sender"]);

/** A line for a program: one JSON object. */
export function jsonLine(
  { level, message, fields }: LogEntry,
  at: Date,
): string {
  return visibleJson({ time: at.toISOString(), level, message, ...fields });
}

const COLORS: Readonly<Record<Level, string>> = {
  info: "\x1b[32m",
  warn: "\x1b[33m",
  error: "\x1b[31m",
};

/** How lines for people look. */
export interface TextStyle {
  /** Whether a terminal shows them, and its owner wants colors. */
  readonly colored: boolean;
  /** Whether the date stands in them, too: for who reads them later. */
  readonly dated: boolean;
}

/** A line for a person: the time, a word, what happened. */
export function textLine(
  { level, message }: LogEntry,
  at: Date,
  { colored, dated }: TextStyle,
): string {
  const time = dated ? localTime(at) : at.toTimeString().slice(0, 8);
  const word = level.padEnd(5);
  return colored
    ? `\x1b[2m${time}\x1b[0m ${COLORS[level]}${word}\x1b[0m ${message}`
    : `${time} ${word} ${message}`;
}

/** RFC 3339 section 5.6, in the machine's time zone: `2026-11-23T18:05:09+01:00`. */
function localTime(at: Date): string {
  const offset = -at.getTimezoneOffset();
  const local = new Date(at.getTime() + offset * 60_000);
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), offset % 60]
    .map((part) => String(Math.abs(part)).padStart(2, "0"));
  const sign = offset < 0 ? "-" : "+";
  return `${local.toISOString().slice(0, 19)}${sign}${hours}:${minutes}`;
}

function closedLevel({ reason }: SmtpClosedEvent): Level {
  switch (reason) {
    case "error":
      return "error";
    // A proxy that is set up otherwise than the listener is shuts everybody out.
    case "proxy-untrusted":
    case "proxy-malformed":
    // One client, or all of its kind, whose user will call.
    case "tls-failed":
      return "warn";
    default:
      return "info";
  }
}

/** How bad the end of an AUTH is. */
export function authLevel(
  { outcome, reason }: { readonly outcome: string; readonly reason: string },
): Level {
  switch (reason) {
    // Clients may go whenever they like.
    case "client-gone":
      return "info";
    case "throttled-user":
    case "throttled-pair":
    case "throttled-network":
    case "bad-token":
      return "warn";
    // Users do not notice it yet.
    case "cached-through-outage":
      return "error";
  }
  if (outcome === "failure") return "error";
  return outcome === "invalid" ? "warn" : "info";
}

function authMessage(event: AuthEvent): string {
  const { outcome, mechanism, username, remoteIp, tls } = event;
  const who = username === undefined ? "" : ` ${shownName(username)}`;
  const why = cause(event);
  const how = [mechanism || "unknown mechanism", tls ? "TLS" : "plain text"];
  return `auth ${outcome}${who}${why} from ${remoteIp}, ${
    how.join(", ")
  }, ${event.milliseconds} ms`;
}

/** Why an AUTH came out as it did, in brackets; nothing if all went well. */
export function cause(
  { reason, detail }: { readonly reason: string; readonly detail?: string },
): string {
  if (reason === "ok") return "";
  return detail === undefined
    ? ` (${reason})`
    : ` (${reason}: ${shownWords(detail)})`;
}

function messageLevel(event: SmtpMessageEvent): Level {
  if (event.error !== undefined) return "error";
  return event.code === 250 && event.refusedRecipients === 0 ? "info" : "warn";
}

function mailMessage(event: SmtpMessageEvent): string {
  const { code, text, username, sender, octets, fault, error } = event;
  const lost = fault === undefined ? "" : ` (${fault})`;
  const outcome = code === undefined
    ? `lost with its connection${lost}`
    : `${code} ${text}`;
  const user = username === undefined ? "" : `, login ${shownName(username)}`;
  const to = recipientsWord(event);
  const why = error === undefined ? "" : `: ${shownText(error)}`;
  return `mail from <${
    shownName(sender)
  }> to ${to}, ${octets} bytes${user}: ${outcome}${why}`;
}

function recipientsWord(event: SmtpMessageEvent): string {
  const { recipients, refusedRecipients } = event;
  const word = recipients === 1 ? "1 recipient" : `${recipients} recipients`;
  return refusedRecipients === 0
    ? word
    : `${word} (${refusedRecipients} refused)`;
}

function refusedMessage(event: SmtpRefusedEvent): string {
  const { verb, code, reason, count, username, remoteIp } = event;
  const what = verb === "" ? "a line" : verb;
  const user = username === undefined ? "" : `, login ${shownName(username)}`;
  const times = count === 1 ? "once" : `${count} times`;
  return `refused ${what} from ${remoteIp}${user}: ${code} ${reason}, ${times}`;
}
