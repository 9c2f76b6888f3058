/**
 * A server that is reached without a network.
 *
 * @module
 */

import { race } from "../lib/race.ts";
import type { Handle } from "./http_server.ts";

/**
 * Makes a `fetch` that asks a function: rejects where that throws, and as soon
 * as the caller gives up.
 */
export function memoryFetch(handle: Handle): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    const raced = await race(() => handle(request), { signal });
    if (raced.kind === "done") return raced.value;
    if (raced.kind === "broken") throw raced.error;
    throw signal.reason;
  };
}
