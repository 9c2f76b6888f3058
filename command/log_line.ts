/**
 * How a line of the log looks, to people and to programs.
 *
 * @module
 */

import type { Level, LogEntry } from "./log.ts";
import { visibleJson } from "./quoting.ts";

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
