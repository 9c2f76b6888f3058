/**
 * The full size of tests/faults/slow_disk_real_test.ts and of
 * slow_hop_real_test.ts: 500 clients send a message of 20 MB each, at once, into
 * a slow disk, or through a relay to a next hop that reads slowly. Prints what it
 * costs, and fails above 64 MiB. Takes minutes; Linux only:
 *
 *     deno run -A tests/soak/large_messages.ts disk
 *     deno run -A tests/soak/large_messages.ts hop
 *
 * @module
 */

import { loadSlowDisk } from "../support/slow_disk_load.ts";
import { loadSlowHop } from "../support/slow_hop.ts";

const CLIENTS = 500;
const OCTETS = 20_000_000;
const OCTETS_PER_SECOND = 200_000_000;

/** The most resident memory above the start, in MiB. */
const MOST_MIB = 64;

const loads = new Map([["disk", loadSlowDisk], ["hop", loadSlowHop]]);
const load = loads.get(Deno.args[0] ?? "");
if (load === undefined) {
  console.error("error: say disk or hop");
  Deno.exit(2);
}
const began = performance.now();
const { before, peakKiB, after } = await load({
  clients: CLIENTS,
  octets: OCTETS,
  octetsPerSecond: OCTETS_PER_SECOND,
});
const mib = (kib: number) => `${(kib / 1024).toFixed(1)} MiB`;
const seconds = ((performance.now() - began) / 1000).toFixed(1);
const above = peakKiB - before.rssKiB;
console.log(`${CLIENTS} clients with ${OCTETS} octets each: ${seconds} s`);
console.log(`resident before  ${mib(before.rssKiB)}`);
console.log(`at most          ${mib(peakKiB)}, ${mib(above)} above`);
console.log(`afterwards       ${mib(after.rssKiB)}`);
if (above > MOST_MIB * 1024) {
  console.error(`error: more than ${MOST_MIB} MiB above the start`);
  Deno.exit(1);
}
