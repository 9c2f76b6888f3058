/**
 * `--unthrottle`: what was counted for a user is forgotten, in the state that all
 * processes share. SIGUSR2: for all users, in the memory of this one.
 *
 * @module
 */

import {
  unthrottle,
  unthrottleAll,
} from "../auth/guards/throttle/unthrottle.ts";
import { forgetAllSent, forgetSent } from "../auth/rights/sending_limits.ts";
import type { MemoryStore } from "../auth/state/memory_store.ts";
import { systemReason } from "../lib/error_text.ts";
import type { LogEntry } from "./log.ts";
import { shownName } from "./quoting.ts";
import type { Settings } from "./settings.ts";
import { placeName, statePlaceOf } from "./state_place.ts";

/**
 * Forgets what was counted for a user.
 *
 * @param settings Where the state is.
 * @param user The user.
 * @returns What it did, as a line.
 * @throws {Error} If the state is away.
 */
export async function unthrottleUser(
  settings: Settings,
  user: string,
): Promise<string> {
  const place = statePlaceOf(settings);
  const where = placeName(place);
  // The command line's check has seen to it.
  if (place.kind === "memory") throw new Error("the state is not shared");
  const { openShared } = await import("./shared_state.ts");
  using state = await openShared(place, settings);
  try {
    const guesses = await unthrottle(state.store, user);
    const hasSent = await forgetSent(state.store, user);
    const name = shownName(user);
    if (guesses === 0 && !hasSent) return `${name}: nothing was counted`;
    const sent = hasSent ? " and what was sent" : "";
    const words = guesses === 1 ? "1 wrong guess" : `${guesses} wrong guesses`;
    return `${name}: forgotten: ${words}${sent}`;
  } catch (error) {
    const reason = systemReason(error);
    throw new Error(`cannot write --shared-state ${where}: ${reason}`);
  }
}

/** What SIGUSR2 does, and what the log says of it. */
export function unthrottleEverybody(memory: MemoryStore | undefined): LogEntry {
  if (memory === undefined) {
    const message =
      "SIGUSR2 is for a state in memory: for a shared one there is --unthrottle NAME";
    return { level: "warn", message, fields: {} };
  }
  const counts = unthrottleAll(memory, Date.now());
  const sent = forgetAllSent(memory);
  return {
    level: "warn",
    message:
      `SIGUSR2: forgotten: the wrong guesses at all users and what they sent (${
        counts + sent
      } counts)`,
    fields: {},
  };
}
