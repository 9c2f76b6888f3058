/**
 * A process of its own that counts one key of a store up, so often as it is told,
 * some at a time.
 *
 * @module
 */

import { newRedisStore } from "../../auth/state/redis_store.ts";
import { connectResp } from "./resp.ts";

if (import.meta.main) {
  const [port = 0, times = 0, atOnce = 1] = Deno.args.map(Number);
  using client = await connectResp(port);
  const store = newRedisStore({ command: client.command, timeoutMs: 60_000 });
  const keep = { keepMs: 600_000, share: "limit" } as const;
  let left = times;
  const count = async () => {
    while (left-- > 0) {
      await store.update(["l:count"], ([value]) => [
        { key: "l:count", value: Number(value ?? 0) + 1, ...keep },
      ]);
    }
  };
  // All begin at once.
  console.log("ready");
  await Deno.stdin.read(new Uint8Array(1));
  await Promise.all(Array.from({ length: atOnce }, count));
}
