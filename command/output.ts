/**
 * What the command writes, and how.
 *
 * @module
 */

import { jsonLine, type LogEntry, textLine } from "./log.ts";
import type { Settings } from "./settings.ts";

/** A log on stderr: as text on a terminal, else as JSON, unless told. */
export function newLog(format: Settings["log"]): (entry: LogEntry) => void {
  const terminal = Deno.stderr.isTerminal();
  const colored = terminal && !Deno.noColor;
  const text = (format ?? (terminal ? "text" : "json")) === "text";
  return (entry) => {
    const now = new Date();
    const line = text ? textLine(entry, now, colored) : jsonLine(entry, now);
    write(Deno.stderr, `${line}\n`);
  };
}

/** Writes at once. A log that nobody reads any more is no reason to stop. */
export function write(
  to: { writeSync(octets: Uint8Array): number },
  text: string,
): void {
  const octets = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < octets.length;) {
      written += to.writeSync(octets.subarray(written));
    }
  } catch {
    // Nowhere to say so.
  }
}
