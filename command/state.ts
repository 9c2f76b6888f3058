/**
 * Where the command keeps what it must remember of users.
 *
 * @module
 */

import { type FallbackOptions, withFallback } from "../auth/state/fallback.ts";
import {
  type MemoryStore,
  newMemoryStore,
} from "../auth/state/memory_store.ts";
import type { Store } from "../auth/state/store.ts";
import { type LogEntry, logEvents } from "./log.ts";
import type { Settings } from "./settings.ts";
import { statePlaceOf } from "./state_place.ts";

/** A store, and what it holds open. */
export interface OpenState extends Disposable {
  readonly store: Store;
  /** The same, if it is this process's own. */
  readonly memory?: MemoryStore;
}

/**
 * Opens the store for all who remember something. A shared one that is away, or
 * goes, is no error: each process counts by itself meanwhile, and the log says so.
 *
 * @param settings Where it is.
 * @param log Told when a shared one goes and when it is back.
 * @param waits How long to wait for it, and how long to leave it alone, where
 * that is not the fallback's own default.
 * @throws {Error} If it can't be opened: where, and what the system says.
 */
export async function openState(
  settings: Settings,
  log: (entry: LogEntry) => void,
  waits: Pick<FallbackOptions, "timeoutMs" | "restMs"> = {},
): Promise<OpenState> {
  const place = statePlaceOf(settings);
  if (place.kind === "memory") {
    const memory = newMemoryStore();
    return { store: memory, memory, [Symbol.dispose]: () => {} };
  }
  const { openShared } = await import("./shared_state.ts");
  const shared = await openShared(place, settings);
  const store = withFallback(shared.store, {
    onEvent: logEvents(log),
    ...waits,
  });
  // So that one that is away at the start is told of at the start.
  await store.read(["s:start"]);
  return { store, [Symbol.dispose]: shared[Symbol.dispose] };
}
