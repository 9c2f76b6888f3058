/**
 * Accepting connections, for every server alike.
 *
 * @module
 */

import { pause } from "../lib/race.ts";

/** How long to wait when connections can't be accepted, in milliseconds. */
const ACCEPT_PAUSE_MS = 250;

/** How long not to say again that they can't be, in milliseconds. */
const ACCEPT_QUIET_MS = 60_000;

/** How connections come in, and who is told. */
export interface AcceptOptions<Conn> {
  /** Waits for the next connection. */
  readonly accept: () => Promise<Conn>;
  /** Takes it. */
  readonly admit: (conn: Conn) => void;
  /**
   * Told that none can be accepted, most likely for want of file descriptors:
   * at most once a minute, however often it is tried meanwhile.
   */
  readonly onFailure: (error: unknown) => void;
  /** Aborted when no more are to be accepted. */
  readonly stop: AbortSignal;
  /** Milliseconds of a clock that never goes back, for tests. */
  readonly now?: () => number;
}

/** Takes in connections until it is stopped. Never rejects. */
export async function acceptAll<Conn>(
  options: AcceptOptions<Conn>,
): Promise<void> {
  const { accept, admit, onFailure, stop } = options;
  const clock = options.now ?? (() => performance.now());
  let quietUntil = -Infinity;
  while (!stop.aborted) {
    try {
      admit(await accept());
    } catch (error) {
      if (stop.aborted) return;
      if (hasLeft(error)) continue;
      // Descriptors come back with the clients that leave.
      const now = clock();
      if (now >= quietUntil) {
        onFailure(error);
        quietUntil = now + ACCEPT_QUIET_MS;
      }
      await pause(ACCEPT_PAUSE_MS, stop);
    }
  }
}

/** What the runtime says of a client that has left before it was accepted. */
const LEFT_NAMES: ReadonlySet<string> = new Set([
  "ConnectionAborted",
  "ConnectionReset",
  "NotConnected",
]);

/** That is no trouble of the server's, and no reason to let others wait. */
function hasLeft(error: unknown): boolean {
  return error instanceof Error && LEFT_NAMES.has(error.name);
}
