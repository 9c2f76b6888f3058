/**
 * The state that several processes share: `--shared-state`.
 *
 * @module
 */

import { newKvStore } from "../auth/state/kv_store.ts";
import { newRedisStore } from "../auth/state/redis_store.ts";
import { systemReason } from "../lib/error_text.ts";
import { race } from "../lib/race.ts";
import { readAuthority } from "./endpoint.ts";
import { REDIS } from "./optional.ts";
import type { Settings } from "./settings.ts";
import type { OpenState } from "./state.ts";
import { placeName, type StatePlace } from "./state_place.ts";

/** How long a denokv server may take, in milliseconds: Deno would wait for ever. */
const OPEN_MS = 5_000;

/** Opens a store that several processes share, as it is: it may fail. */
export async function openShared(
  place: Exclude<StatePlace, { kind: "memory" }>,
  { sharedStateCa }: Settings,
): Promise<OpenState> {
  const ca = sharedStateCa &&
    readAuthority("--shared-state-ca", sharedStateCa);
  try {
    if (place.kind !== "redis") {
      return await openKv(place.kind === "kv" ? place.path : place.url.href);
    }
    const { connectRedis }: typeof import("./redis.ts") = await import(REDIS);
    const connection = await connectRedis(place.url, ca);
    await connection.tried;
    const store = newRedisStore({ command: connection.command });
    return { store, [Symbol.dispose]: connection[Symbol.dispose] };
  } catch (error) {
    const reason = systemReason(error);
    throw new Error(
      `cannot open --shared-state ${placeName(place)}: ${reason}`,
    );
  }
}

async function openKv(path: string): Promise<OpenState> {
  if (!("openKv" in Deno)) throw new Error("Deno needs --unstable-kv for it");
  const opened = await race(() => Deno.openKv(path), { limit: OPEN_MS });
  if (opened.kind === "broken") throw opened.error;
  if (opened.kind !== "done") throw new Error(`no answer in ${OPEN_MS} ms`);
  const { value: kv } = opened;
  return { store: newKvStore(kv), [Symbol.dispose]: () => kv.close() };
}
