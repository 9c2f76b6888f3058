/**
 * The load generator: does a work with a server and measures both ends.
 *
 * @module
 */

import { Client, type Target } from "./client.ts";
import type { Exchange } from "./dialogue.ts";
import { cpuMs, memoryKiB } from "./process.ts";
import type { Work } from "./works.ts";

/** What a server did in one round. */
export interface Sample {
  /** The server's CPU milliseconds for 1,000 pieces of work. */
  readonly cpuMs: number;
  /** Pieces of work a second. */
  readonly perSecond: number;
  /** Megabytes of message a second. */
  readonly mbPerSecond: number;
  /** How long a piece took, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Pieces that did not go as they should. */
  readonly errors: number;
  /** What the first of them said. */
  readonly error?: string;
}

const REPLY_OCTETS = 4_096;

/** Settles what still runs in the server when the last reply is here. */
const SETTLE_MS = 30;

/** What a lane does its pieces with. */
interface Lane {
  piece(): Promise<void>;
  close(): void;
}

async function talk(
  client: Client,
  exchanges: readonly Exchange[],
  target: Target,
): Promise<void> {
  for (const { octets, codes, does } of exchanges) {
    await client.send(octets);
    await client.expect(...codes);
    if (does === "encrypt") await client.startTls(target);
  }
}

async function opened(
  work: Work,
  target: Target,
  buffer: Uint8Array<ArrayBuffer>,
): Promise<Client> {
  const implicit = work.encryption === "implicit";
  const client = await Client.connect(target, buffer, implicit);
  try {
    await client.expect(220);
    await talk(client, work.once, target);
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

function newLane(work: Work, target: Target): Lane {
  const buffer = new Uint8Array(REPLY_OCTETS);
  let client: Client | undefined;
  return {
    async piece() {
      if (work.again.length === 0) {
        (await opened(work, target, buffer)).close();
        return;
      }
      client ??= await opened(work, target, buffer);
      try {
        await talk(client, work.again, target);
      } catch (error) {
        client.close();
        client = undefined;
        throw error;
      }
    },
    close() {
      client?.close();
    },
  };
}

/** The lanes of a work, kept over all rounds with one server. */
export class Load implements Disposable {
  readonly #work: Work;
  readonly #lanes: readonly Lane[];

  constructor(work: Work, target: Target) {
    this.#work = work;
    const lanes = Array.from({ length: work.connections });
    this.#lanes = lanes.map(() => newLane(work, target));
  }

  /** Does so many pieces of the work, shared by all lanes. */
  async run(pid: number, pieces: number): Promise<Sample> {
    const took = new Float64Array(pieces);
    let begun = 0;
    let errors = 0;
    let error: string | undefined;
    const cpuBefore = cpuMs(pid);
    const began = performance.now();
    await Promise.all(this.#lanes.map(async (lane) => {
      while (begun < pieces) {
        const index = begun++;
        const pieceBegan = performance.now();
        try {
          await lane.piece();
        } catch (thrown) {
          errors++;
          error ??= String(thrown);
        }
        took[index] = performance.now() - pieceBegan;
      }
    }));
    const seconds = (performance.now() - began) / 1000;
    await new Promise((done) => setTimeout(done, SETTLE_MS));
    const cpu = cpuMs(pid) - cpuBefore;
    took.sort();
    return {
      cpuMs: cpu * 1000 / pieces,
      perSecond: pieces / seconds,
      mbPerSecond: pieces * this.#work.octets / 1e6 / seconds,
      p50: took[Math.floor(pieces * 0.5)] ?? 0,
      p99: took[Math.floor(pieces * 0.99)] ?? 0,
      errors,
      ...(error === undefined ? {} : { error }),
    };
  }

  [Symbol.dispose](): void {
    this.#lanes.forEach((lane) => lane.close());
  }
}

/** How long a server may tidy up before its memory is read, in milliseconds. */
const REST_MS = 2_000;

/** How many connect at once: more would overflow the backlog. */
const CROWD = 50;

/** KiB that each of the work's connections costs while nothing happens. */
export async function idleMemory(
  work: Work,
  target: Target,
  pid: number,
): Promise<{ readonly kib: number; readonly errors: number }> {
  const clients: Client[] = [];
  let errors = 0;
  async function crowd(connections: number): Promise<void> {
    const buffers = Array.from(
      { length: CROWD },
      () => new Uint8Array(REPLY_OCTETS),
    );
    for (let left = connections; left > 0; left -= CROWD) {
      await Promise.all(buffers.map(async (buffer) => {
        try {
          clients.push(await opened(work, target, buffer));
        } catch {
          errors++;
        }
      }));
    }
  }
  const rest = () => new Promise((done) => setTimeout(done, REST_MS));
  const leave = () => clients.splice(0).forEach((client) => client.close());
  await crowd(CROWD * 4);
  leave();
  await rest();
  const before = memoryKiB(pid);
  await crowd(work.connections);
  await rest();
  const after = memoryKiB(pid);
  leave();
  return { kib: (after - before) / work.connections, errors };
}
