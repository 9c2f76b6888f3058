/**
 * A next hop that reads slowly, however many send to it, and what a relay in
 * front of it holds meanwhile.
 *
 * @module
 */

import { writeAll } from "../../net/conn.ts";
import { assertEquals } from "./assert.ts";
import { type LoadCost, loadLarge } from "./large_load.ts";
import { serveTcp } from "./raw_end.ts";

/** How much load, and how slow the next hop is. */
export interface SlowHopLoad {
  /** All at once. */
  readonly clients: number;
  /** How many connections the relay may have at a time. Default: its own. */
  readonly maxConnections?: number;
  /** The size of each message. */
  readonly octets: number;
  /** What the next hop reads, over all its connections. */
  readonly octetsPerSecond: number;
}

/** How often the next hop reads something, in milliseconds. */
const TICK_MS = 10;

/** How much it reads of one connection at once, in octets. */
const READ_OCTETS = 16_384;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const RELAY = new URL("./relay_listener.ts", import.meta.url);

/** Starts both, sends everything, and fails if a message is not whole. */
export async function loadSlowHop(
  { clients, maxConnections = 20, octets, octetsPerSecond }: SlowHopLoad,
): Promise<LoadCost> {
  await using hop = serveSlowHop(octetsPerSecond);
  const cost = await loadLarge({
    program: [RELAY, `smtp://127.0.0.1:${hop.port}`, String(maxConnections)],
    clients,
    octets,
    accepted: /^250 2\.0\.0 taken/m,
    // On a busy machine some wait longer than the relay lets them.
    busy: /^451 4\.4\.5 /m,
  });
  const [first, ...all] = hop.sizes;
  assertEquals(all.length, clients);
  // Each has a `Received` of ours in front, as the first, short one has.
  const ours = (first ?? 0) - 1_000;
  for (const size of all) {
    assertEquals(Math.abs(size - octets - ours) < 8, true);
  }
  return cost;
}

interface SlowHop extends AsyncDisposable {
  readonly port: number;
  /** How large the messages were that it has taken, in octets. */
  readonly sizes: readonly number[];
}

function serveSlowHop(octetsPerSecond: number): SlowHop {
  const sizes: number[] = [];
  const turns = newTurns(octetsPerSecond);
  const server = serveTcp((conn) => talk(conn, turns.take, sizes));
  return {
    port: server.port,
    sizes,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      turns.end();
    },
  };
}

/** Lets whoever waits read, so much a second for all together. */
function newTurns(octetsPerSecond: number) {
  const waiting: (() => void)[] = [];
  let room = 0;
  let last = performance.now();
  const ticking = setInterval(() => {
    const now = performance.now();
    room = Math.min(room, 0) + octetsPerSecond * (now - last) / 1000;
    last = now;
    for (; room > 0 && waiting.length > 0; room -= READ_OCTETS) {
      waiting.shift()?.();
    }
  }, TICK_MS);
  return {
    take: () => {
      if (room <= 0) return new Promise<void>((go) => waiting.push(go));
      room -= READ_OCTETS;
      return Promise.resolve();
    },
    end: () => clearInterval(ticking),
  };
}

/** Says what a next hop says, and counts what it reads of messages. */
async function talk(
  conn: Deno.TcpConn,
  turn: () => Promise<void>,
  sizes: number[],
): Promise<void> {
  const space = new Uint8Array(READ_OCTETS);
  const say = (text: string) => writeAll(conn, encoder.encode(text));
  let size: number | undefined;
  let last = "";
  try {
    await say("220 hop.example.net ESMTP\r\n");
    for (;;) {
      if (size !== undefined) await turn();
      const count = await conn.read(space);
      if (count === null) return;
      last =
        (last + decoder.decode(space.subarray(Math.max(0, count - 5), count)))
          .slice(-5);
      if (size !== undefined) {
        size += count;
        if (last !== "\r\n.\r\n") continue;
        sizes.push(size);
        size = undefined;
        await say("250 2.0.0 taken\r\n");
        continue;
      }
      const lines = decoder.decode(space.subarray(0, count)).trimEnd().split(
        "\r\n",
      );
      for (const line of lines) {
        if (line === "DATA") size = 0;
        await say(line === "DATA" ? "354 go\r\n" : "250 2.0.0 ok\r\n");
      }
    }
  } catch {
    // The relay has gone.
  } finally {
    conn.close();
  }
}
