import { assert } from "../support/assert.ts";
import { loadSlowHop } from "../support/slow_hop.ts";
import { watchable } from "../support/watch.ts";

/**
 * A fifth of the clients and of the memory that the full size may have, which
 * is 500 clients with 20 MB each (tests/soak/large_messages.ts), and messages that do
 * not take minutes.
 */
const CLIENTS = 100;
const OCTETS = 600_000;
const OCTETS_PER_SECOND = 60_000_000;

/** For the clients, in KiB, and for what one client costs as well as many. */
const MOST_KIB = 64 * 1024 / 5 + 24 * 1024;

for (
  const [maxConnections, what] of [
    [20, "where most wait for a connection"],
    [CLIENTS, "where all have one"],
  ] as const
) {
  Deno.test({
    name:
      `newRelay() keeps little of what waits for a slow next hop in memory, ${what}`,
    ignore: !watchable,
    fn: async () => {
      const { before, peakKiB } = await loadSlowHop({
        clients: CLIENTS,
        maxConnections,
        octets: OCTETS,
        octetsPerSecond: OCTETS_PER_SECOND,
      });
      const above = peakKiB - before.rssKiB;
      assert(above <= MOST_KIB, `${above} KiB above the start`);
    },
  });
}
