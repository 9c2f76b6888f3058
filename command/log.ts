/**
 * What the log of the command says about an event, and which events it passes
 * over.
 *
 * @module
 */

import type {
  AcceptFailedEvent,
  AuthEvent,
  ClosedEvent,
  LimitReachedEvent,
} from "../auth/events.ts";
import { limitText } from "../auth/rights/sending_limits.ts";
import type { StateAwayEvent, StateEvent } from "../auth/events.ts";
import type { RelayEvent } from "../delivery/relay/options.ts";
import type {
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

/** What the listener, the adapters and the destinations tell. */
export type LoggedEvent = SmtpEvent | RelayEvent | StateEvent;

/**
 * Makes what takes events out of what takes lines.
 *
 * @param log The log.
 */
export function logEvents(
  log: (entry: LogEntry) => void,
): (event: LoggedEvent) => void {
  return (event) => {
    const entry = entryOf(event);
    if (entry !== undefined) log(entry);
  };
}

/**
 * What the log says about an event; nothing about what every connection does.
 */
export function entryOf(event: LoggedEvent): LogEntry | undefined {
  // First, because nothing else comes as often.
  if (event.kind === "opened" || event.kind === "secured") return undefined;
  if (event.kind === "closed" && closedLevel(event) === undefined) {
    return undefined;
  }
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
      const level = closedLevel(event);
      return level && { level, message: closedMessage(event), fields };
    }
    case "acceptFailed":
      return { level: "error", message: acceptMessage(event), fields };
    case "limitReached":
      return { level: "warn", message: limitMessage(event), fields };
    case "state":
      return event.outcome === "away"
        ? { level: "error", message: awayMessage(event), fields }
        : {
          level: "info",
          message: `shared state: back after ${event.milliseconds} ms`,
          fields,
        };
    default:
      return event satisfies never;
  }
}

function awayMessage({ reason, detail }: StateAwayEvent): string {
  const why = detail === undefined ? "" : `: ${shownText(detail)}`;
  return `shared state: away: ${reason}${why}: this process counts by itself`;
}

/**
 * The values of an event; of somebody else's texts no more than a line. What no
 * client has made up comes first, and in one order: filters read from there.
 */
function fieldsOf(event: LoggedEvent): Fields {
  const { kind, ...values } = event;
  const leading = LEADING.flatMap((name) =>
    Object.hasOwn(values, name) ? [[name, undefined] as const] : []
  );
  const fields = Object.entries(values).map(([name, value]) => [
    name,
    typeof value !== "string"
      ? value
      : NAMES.has(name)
      ? cutName(value)
      : cutText(value),
  ]);
  return {
    event: kind,
    ...Object.fromEntries(leading),
    ...Object.fromEntries(fields),
  };
}

/** Who it is about and what has come of it. */
const LEADING: readonly string[] = [
  "via",
  "id",
  "remoteIp",
  "tls",
  "outcome",
  "code",
  "reason",
];

const NAMES: ReadonlySet<string> = new Set(["username", "sender"]);

/** How bad the end of a connection is; nothing where it is no news. */
function closedLevel({ reason, again }: ClosedEvent): Level | undefined {
  switch (reason) {
    case "quit":
    case "client-gone":
    case "shutdown":
    // The line of the login has said it.
    case "temporary-failure":
      return undefined;
    case "too-many-connections":
      return again ? undefined : "warn";
    case "error":
      return "error";
    // A proxy that is set up otherwise than the listener is shuts everybody out.
    case "proxy-untrusted":
    case "proxy-malformed":
    case "bad-protocol":
    // One client, or all of its kind, whose user will call.
    case "tls-failed":
      return "warn";
    default:
      return "info";
  }
}

function closedMessage({ via, remoteIp, reason, error }: ClosedEvent): string {
  const who = via === "smtp" ? remoteIp : `a connection of ${via}`;
  const why = error === undefined ? "" : `: ${shownText(error)}`;
  return `closed ${who}: ${reason}${why}`;
}

function acceptMessage({ via, error }: AcceptFailedEvent): string {
  const whose = via === "smtp" ? "" : ` for ${via}`;
  return `cannot accept connections${whose}: ${shownText(error)}`;
}

/** How bad the end of an AUTH is. */
function authLevel(
  { outcome, reason }: { readonly outcome: string; readonly reason: string },
): Level {
  switch (reason) {
    // Clients may go whenever they like, and we may stop.
    case "client-gone":
    case "interrupted":
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
  const { outcome, mechanism, username, remoteIp, via, tls } = event;
  const who = username === undefined ? "" : ` ${shownName(username)}`;
  const why = cause(event);
  const from = remoteIp === "" ? "" : ` from ${remoteIp}`;
  const isOurs = via === "smtp";
  const through = isOurs ? "" : ` through ${via}`;
  const how = [
    mechanism || (isOurs ? "unknown mechanism" : ""),
    tls === undefined ? "" : tls ? "TLS" : "plain text",
    `${Math.round(event.milliseconds)} ms`,
  ].filter((word) => word !== "");
  return `auth ${outcome}${who}${why}${from}${through}, ${how.join(", ")}`;
}

/** Why an AUTH came out as it did, in brackets; nothing if all went well. */
function cause(
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
  const user = username !== undefined
    ? `, login ${shownName(username)}`
    : event.trusted
    ? `, no login (trusted network)`
    : "";
  const to = recipientsWord(event);
  const why = error === undefined ? "" : `: ${shownText(error)}`;
  const from = sender === "" ? "" : shownName(sender);
  return `mail from <${from}> to ${to}, ${octets} bytes${user}: ${outcome}${why}`;
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

function limitMessage(event: LimitReachedEvent): string {
  const { username, remoteIp, limit: name, most } = event;
  const who = username === undefined ? "a client" : shownName(username);
  const from = remoteIp === "" ? "" : ` from ${remoteIp}`;
  return `limit reached by ${who}${from}: ${limitText({ name, most })}`;
}
