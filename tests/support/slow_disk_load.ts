/**
 * Many clients that send a large message each, at once, into a slow disk; and
 * what that costs the listener.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { testCertificate } from "./certificate.ts";
import { type LoadCost, loadLarge } from "./large_load.ts";
import { temporaryFolder } from "./listener.ts";
import { filesIn } from "./maildir.ts";
import { openEncrypted, type WayIn } from "./ways_in.ts";

/** How much load, and how slow the disk is. */
export interface SlowDiskLoad {
  /** How the clients come in. Default: in plain text. */
  readonly way?: WayIn;
  readonly clients: number;
  /** The size of each message. */
  readonly octets: number;
  /** What the disk takes. */
  readonly octetsPerSecond: number;
}

const SERVER = new URL("./slow_disk.ts", import.meta.url);

/** Starts the listener, sends everything, and fails if a message is refused. */
export async function loadSlowDisk(
  { way = "plain text", clients, octets, octetsPerSecond }: SlowDiskLoad,
): Promise<LoadCost> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { cert, key } = await testCertificate();
  const cost = await loadLarge({
    program: [SERVER, folder, String(octetsPerSecond), way, cert, key],
    clients,
    octets,
    accepted: /^250 2\.0\.0 Queued/m,
    ...way === "plain text"
      ? {}
      : { open: (port) => openEncrypted(port, way, cert) },
  });
  assertEquals(filesIn(folder, "tmp"), []);
  return cost;
}
