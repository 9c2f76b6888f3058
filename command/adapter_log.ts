/**
 * What the command's log says about the adapters.
 *
 * @module
 */

import type { AdapterEvent } from "../adapters/events.ts";
import type { AuthEvent } from "../auth/events.ts";
import { authLevel, cause, fieldsOf, type LogEntry } from "./log.ts";
import { shownName, shownText } from "./quoting.ts";

/** What the log says about an event of an adapter. */
export function adapterEntry(event: AdapterEvent): LogEntry {
  const fields = fieldsOf(event);
  switch (event.kind) {
    case "auth":
      return { level: authLevel(event), message: authMessage(event), fields };
    case "closed": {
      const why = event.error === undefined
        ? ""
        : `: ${shownText(event.error)}`;
      const message =
        `closed a connection of ${event.via}: ${event.reason}${why}`;
      return { level: "warn", message, fields };
    }
    case "acceptFailed": {
      const message = `cannot accept connections for ${event.via}: ${
        shownText(event.error)
      }`;
      return { level: "error", message, fields };
    }
    default:
      return event satisfies never;
  }
}

function authMessage(event: AuthEvent): string {
  const { outcome, mechanism, username, remoteIp, via } = event;
  const who = username === undefined ? "" : ` ${shownName(username)}`;
  const why = cause(event);
  const from = remoteIp === "" ? "" : ` from ${remoteIp}`;
  const how = mechanism === "" ? "" : `, ${mechanism}`;
  return `auth ${outcome}${who}${why}${from} through ${via}${how}, ${event.milliseconds} ms`;
}
