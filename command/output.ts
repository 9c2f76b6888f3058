/**
 * What the command writes, and how.
 *
 * @module
 */

import type { LogEntry } from "./log.ts";
import { jsonLine, textLine } from "./log_line.ts";
import { LogQueue, type LogTarget } from "./log_queue.ts";
import type { Settings } from "./settings.ts";

/** How long the end waits for the log to be read, in milliseconds. */
const FLUSH_MS = 1_000;

/** Where the log goes, and what that is. */
export interface LogOutput extends LogTarget {
  /** Whether somebody looks at it now. */
  isTerminal(): boolean;
}

/** A log that nobody has to wait for. */
export interface Log {
  /** Takes a line. */
  readonly log: (entry: LogEntry) => void;
  /** Gives what is left a moment to be written. */
  readonly flush: () => Promise<void>;
}

/** A log: as text on a terminal, else as JSON, unless told. */
export function newLog(output: LogOutput, format: Settings["log"]): Log {
  const terminal = output.isTerminal();
  const style = { colored: terminal && !Deno.noColor, dated: !terminal };
  const text = (format ?? (terminal ? "text" : "json")) === "text";
  const lineOf = (entry: LogEntry) => {
    const now = new Date();
    const line = text ? textLine(entry, now, style) : jsonLine(entry, now);
    return `${line}\n`;
  };
  const queue = new LogQueue(output, (count) => lineOf(lossEntry(count)));
  return {
    log: (entry) => queue.put(lineOf(entry)),
    flush: () => queue.flush(FLUSH_MS),
  };
}

function lossEntry(lines: number): LogEntry {
  return {
    level: "warn",
    message: `the log is not read fast enough: ${lines} lines are missing here`,
    fields: { event: "logDropped", lines },
  };
}

/** Writes at once: for what is short, at the start and at the end. */
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
