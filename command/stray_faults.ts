/**
 * Faults of our own that nothing caught: told to the log, and the process goes
 * on. Ending it, as the runtime would, ends the sessions of everybody because of
 * one; whoever finds out how to make such a fault could do so again and again.
 *
 * @module
 */

import type { LogEntry } from "./log.ts";

/** Frames of the stack that the log is told. */
const MOST_FRAMES = 8;

/**
 * Takes over what nothing catches, for the whole process.
 *
 * @param log Where each is told.
 * @returns What gives them back to the runtime.
 */
export function catchStrayFaults(log: (entry: LogEntry) => void): Disposable {
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    log(faultEntry(event.reason));
  };
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    log(faultEntry(event.error));
  };
  addEventListener("unhandledrejection", onRejection);
  addEventListener("error", onError);
  return {
    [Symbol.dispose]() {
      removeEventListener("unhandledrejection", onRejection);
      removeEventListener("error", onError);
    },
  };
}

/**
 * Says which kind of error it is and where it comes from, but not its message:
 * nobody knows what that quotes.
 */
function faultEntry(error: unknown): LogEntry {
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return {
    level: "error",
    message: `a fault of this program, please report it: ${name}`,
    fields: { event: "fault", error: name, stack: stackOf(error) },
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { stack = "", message } = error;
  const frames = stack.replace(message, "").split("\n").slice(1);
  return frames.slice(0, MOST_FRAMES).map((frame) => frame.trim()).join("; ");
}
