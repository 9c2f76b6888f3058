import { assert } from "../support/assert.ts";
import { loadSlowDisk } from "../support/slow_disk_load.ts";
import { watchable } from "../support/watch.ts";
import { WAYS_IN } from "../support/ways_in.ts";

/**
 * A fifth of the clients and of the memory that the full size may have, which
 * is 500 clients with 20 MB each (tests/soak/large_messages.ts), and messages that
 * do not take minutes.
 */
const CLIENTS = 100;
const OCTETS = 2_000_000;
const OCTETS_PER_SECOND = 100_000_000;

/** For the clients, in KiB, and for what one client costs as well as many. */
const MOST_KIB = 64 * 1024 / 5 + 24 * 1024;

/** The same for TLS, whose clients cost more, with fewer of them. */
const TLS_CLIENTS = 40;
const MOST_TLS_KIB = 64 * 1024;

for (const way of WAYS_IN) {
  Deno.test({
    name:
      `openMaildir() keeps little of what waits for a slow disk in memory: ${way}`,
    ignore: !watchable,
    fn: async () => {
      const isPlain = way === "plain text";
      const { before, peakKiB } = await loadSlowDisk({
        way,
        clients: isPlain ? CLIENTS : TLS_CLIENTS,
        octets: OCTETS,
        octetsPerSecond: OCTETS_PER_SECOND,
      });
      const above = peakKiB - before.rssKiB;
      assert(
        above <= (isPlain ? MOST_KIB : MOST_TLS_KIB),
        `${above} KiB above the start`,
      );
    },
  });
}
