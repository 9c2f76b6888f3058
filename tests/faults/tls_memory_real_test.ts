import { assert } from "../support/assert.ts";
import { newTestEndpoint } from "../../testing/endpoint.ts";
import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { startListener } from "../support/listener.ts";
import { clientsHeld } from "../support/sockets.ts";
import { heldBy, watchable } from "../support/watch.ts";
import { reach, type State, WAYS_IN } from "../support/ways_in.ts";

/** How much clients that do not read may cost, in KiB. */
const MOST_KIB = 64 * 1024;

/** When to give up waiting for the end of all, in milliseconds. */
const PATIENCE_MS = 30_000;

/** Who writes without reading, and where. */
const CROWDS: readonly (readonly [number, State, string])[] = [
  [1, "EHLO", "one client that never reads the replies to its commands"],
  [20, "AUTH", "twenty clients that wait for an endpoint and send ahead"],
];

for (const way of WAYS_IN) {
  for (const [count, state, who] of CROWDS) {
    Deno.test({
      name: `main.ts keeps little of what comes from ${who}: ${way}`,
      ignore: !watchable,
      fn: async () => {
        await using end = await newTestEndpoint();
        await end.break("hang");
        await using listener = await startListener({
          certificate: await testCertificate(),
          authUrl: end.url,
          args: [
            ...["--allow-insecure-auth", "--no-require-auth", "--no-throttle"],
            ...["--auth-timeout", "3000", "--idle-timeout", "1500"],
            ...way === "implicit TLS behind PROXY" ? ["--proxy-protocol"] : [],
          ],
        });
        const port = way.startsWith("implicit")
          ? listener.tlsPort
          : listener.port;
        using clients = new DisposableStack();
        const all = await Promise.all(
          Array.from({ length: count }, () => reach(listener, way, state)),
        );
        const { rssKiB } = heldBy(listener.pid);
        let peakKiB = 0;
        for (const client of all) clients.use(client).flood();
        await eventually("the listener has enough of them", () => {
          peakKiB = Math.max(peakKiB, heldBy(listener.pid).rssKiB);
          return clientsHeld(port).size === 0;
        }, PATIENCE_MS);
        const above = peakKiB - rssKiB;
        assert(above < MOST_KIB, `${above} KiB above the start`);
      },
    });
  }
}
