/**
 * Many clients that send a large message each, at once, into a slow disk; and
 * what that costs the listener.
 *
 * @module
 */

import { assertEquals } from "./assert.ts";
import { temporaryFolder } from "./listener.ts";
import { filesIn } from "./maildir.ts";
import { type Held, heldBy } from "./watch.ts";

/** How much load, and how slow the disk is. */
export interface SlowDiskLoad {
  readonly clients: number;
  /** The size of each message. */
  readonly octets: number;
  /** What the disk takes. */
  readonly octetsPerSecond: number;
}

/** What the listener held, in KiB. */
export interface SlowDiskCost {
  /** When it had served one client. */
  readonly before: Held;
  /** The most while all were sending. */
  readonly peakKiB: number;
  /** When all had been served. */
  readonly after: Held;
}

const SERVER = new URL("./slow_disk.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const PIECE = encoder.encode(`${"x".repeat(998)}\r\n`.repeat(64));

/** Starts the listener, sends everything, and fails if a message is refused. */
export async function loadSlowDisk(
  load: SlowDiskLoad,
): Promise<SlowDiskCost> {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--quiet", "--no-prompt", "--config", decodeURI(CONFIG), "-P"],
      ...[decodeURI(SERVER), folder, String(load.octetsPerSecond)],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  cleanUp.defer(async () => {
    child.kill("SIGKILL");
    await lines.cancel();
    await child.status;
  });
  const port = Number((await lines.read()).value);

  await sendLarge(port, 1000);
  const before = heldBy(child.pid);
  let peakKiB = 0;
  const measuring = setInterval(() => {
    peakKiB = Math.max(peakKiB, heldBy(child.pid).rssKiB);
  }, 100);
  try {
    await Promise.all(
      Array.from(
        { length: load.clients },
        () => sendLarge(port, load.octets),
      ),
    );
  } finally {
    clearInterval(measuring);
  }
  const after = heldBy(child.pid);
  assertEquals(filesIn(folder, "tmp"), []);
  return { before, peakKiB, after };
}

/** Sends one message of so many octets, and waits for its 250 without end. */
async function sendLarge(port: number, octets: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const envelope = [
    "EHLO client.example.net",
    "MAIL FROM:<ann@example.org>",
    "RCPT TO:<bob@example.net>",
    "DATA",
    "",
  ];
  await writeAll(conn, encoder.encode(envelope.join("\r\n")));
  await readUntil(conn, /^354 /m);
  for (let sent = 0; sent < octets; sent += PIECE.length) {
    await writeAll(conn, PIECE.subarray(0, octets - sent));
  }
  await writeAll(conn, encoder.encode("\r\n.\r\n"));
  await readUntil(conn, /^250 2\.0\.0 Queued/m);
}

async function writeAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let sent = 0; sent < octets.length;) {
    sent += await conn.write(octets.subarray(sent));
  }
}

async function readUntil(conn: Deno.Conn, pattern: RegExp): Promise<void> {
  const space = new Uint8Array(1024);
  let said = "";
  while (!pattern.test(said)) {
    const count = await conn.read(space);
    if (count === null) throw new Error(`The listener has closed: ${said}`);
    said += decoder.decode(space.subarray(0, count));
  }
}
