/**
 * What `--check` finds out about the shared state: whether it can be read and
 * written.
 *
 * @module
 */

import { systemReason } from "../lib/error_text.ts";
import { faultOf } from "../lib/network_fault.ts";
import { race } from "../lib/race.ts";
import { isOwnMachine } from "../net/proxy_env.ts";
import type { Finding } from "./check.ts";
import { networkAdvice, withAdvice } from "./check_advice.ts";
import type { Settings } from "./settings.ts";
import { openShared } from "./shared_state.ts";
import { placeName, statePlaceOf } from "./state_place.ts";

/** How long it may take, in milliseconds. */
const LIMIT_MS = 5000;

/** Writes a value that is gone in a second, and reads it. */
export async function checkState(
  settings: Settings,
): Promise<Finding | undefined> {
  const place = statePlaceOf(settings);
  if (place.kind === "memory") return undefined;
  const what = `shared state ${placeName(place)}`;
  const raced = await race(async () => {
    using state = await openShared(place, settings);
    const write = { key: "s:check", keepMs: 1000, share: "secret" } as const;
    const value = crypto.randomUUID();
    await state.store.update([write.key], () => [{ ...write, value }]);
    const [found] = await state.store.read([write.key]);
    return found === value;
  }, { limit: LIMIT_MS });
  if (raced.kind === "broken") {
    return { level: "error", text: `${what}: ${reasonOf(raced.error)}` };
  }
  if (raced.kind !== "done") {
    return { level: "error", text: `${what}: no answer in ${LIMIT_MS} ms` };
  }
  if (!raced.value) {
    return { level: "error", text: `${what}: forgets what is written` };
  }
  const isPlain = place.kind === "redis" && place.url.protocol === "redis:" &&
    !isOwnMachine(place.url);
  return isPlain
    ? {
      level: "warn",
      text:
        `${what}: can be written to, but all goes there in plain text: use rediss`,
    }
    : { level: "ok", text: `${what}: can be written to` };
}

/** Why it cannot be used, and what to do: the database's own words, or ours. */
function reasonOf(error: unknown): string {
  const reason = systemReason(error);
  const advised = withAdvice(reason);
  if (advised !== reason) return advised;
  const fault = faultOf(error);
  return fault === "failed"
    ? reason
    : `${fault}: ${networkAdvice(fault, "--shared-state-ca")}`;
}
