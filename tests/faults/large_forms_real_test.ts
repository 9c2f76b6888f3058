import { assert, assertEquals } from "../support/assert.ts";
import { loadLarge } from "../support/large_load.ts";
import { watchable } from "../support/watch.ts";

/** Ten times as many octets as may be held; the full size is 20 MB each. */
const CLIENTS = 100;
const OCTETS = 5_000_000;

/** For each client what Deno's HTTP client holds, and for all what one costs. */
const MOST_KIB = CLIENTS * 1024 + 24 * 1024;

Deno.test({
  name: "newHTTPDelivery() keeps little of many large messages in memory",
  ignore: !watchable,
  fn: async () => {
    let received = 0;
    await using end = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async ({ body }) => {
        for await (const piece of body ?? []) received += piece.length;
        return new Response();
      },
    );
    const listener = "../support/http_delivery_listener.ts";
    const url = `http://127.0.0.1:${end.addr.port}/`;
    const { before, peakKiB } = await loadLarge({
      program: [new URL(listener, import.meta.url), url],
      clients: CLIENTS,
      octets: OCTETS,
      accepted: /^250 2\.0\.0 Accepted/m,
    });
    assertEquals(Math.floor(received / OCTETS), CLIENTS);
    const above = peakKiB - before.rssKiB;
    assert(above <= MOST_KIB, `${above} KiB above the start`);
  },
});
