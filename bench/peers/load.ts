/**
 * The load generator: does a work with a server and measures both ends.
 *
 * @module
 */

import { BesideLoad } from "./beside.ts";
import type { Client, Target } from "./client.ts";
import { type Lane, newLane, newPace, opened, REPLY_OCTETS } from "./lanes.ts";
import { cpuMs, memoryKiB, ownSocketsClosed } from "./process.ts";
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
  /** Pieces a second that were done beside it; absent: there was nothing. */
  readonly besidePerSecond?: number;
  /** Pieces that did not go as they should. */
  readonly errors: number;
  /** What the first of them said. */
  readonly error?: string;
}

/** Settles what still runs in the server when the last reply is here. */
const SETTLE_MS = 30;

/** The pieces of one round. */
interface Pieces {
  readonly took: Float64Array;
  readonly seconds: number;
  readonly errors: number;
  readonly error?: string;
}

/** The lanes of a work, kept over all rounds with one server. */
export class Load implements Disposable {
  readonly #work: Work;
  readonly #lanes: readonly Lane[];
  readonly #beside: BesideLoad;

  constructor(work: Work, target: Target) {
    this.#work = work;
    const lanes = Array.from({ length: work.connections });
    this.#lanes = lanes.map(() => newLane(work, target));
    this.#beside = new BesideLoad(work.beside ?? [], target);
  }

  /** Does so many pieces of the work, shared by all lanes. */
  async run(pid: number, pieces: number): Promise<Sample> {
    await ownSocketsClosed();
    const cpuBefore = cpuMs(pid);
    const main = this.#pieces(pieces);
    const beside = await this.#beside.during(main);
    const { took, seconds, errors, error = beside.error } = await main;
    await new Promise((done) => setTimeout(done, SETTLE_MS));
    const cpu = cpuMs(pid) - cpuBefore;
    took.sort();
    return {
      cpuMs: cpu * 1000 / pieces,
      perSecond: pieces / seconds,
      mbPerSecond: pieces * this.#work.octets / 1e6 / seconds,
      p50: took[Math.floor(pieces * 0.5)] ?? 0,
      p99: took[Math.floor(pieces * 0.99)] ?? 0,
      ...(this.#work.beside === undefined
        ? {}
        : { besidePerSecond: beside.pieces / seconds }),
      errors: errors + beside.errors,
      ...(error === undefined ? {} : { error }),
    };
  }

  async #pieces(pieces: number): Promise<Pieces> {
    const took = new Float64Array(pieces);
    const { everyMs, connections } = this.#work;
    let begun = 0;
    let errors = 0;
    let error: string | undefined;
    const began = performance.now();
    await Promise.all(this.#lanes.map(async (lane, i) => {
      const turn = everyMs === undefined
        ? undefined
        : newPace(everyMs, i, connections);
      while (begun < pieces) {
        const index = begun++;
        if (turn !== undefined) await turn();
        const pieceBegan = performance.now();
        try {
          took[index] = await lane.piece();
        } catch (thrown) {
          errors++;
          error ??= String(thrown);
          took[index] = performance.now() - pieceBegan;
        }
      }
    }));
    const seconds = (performance.now() - began) / 1000;
    return { took, seconds, errors, ...(error === undefined ? {} : { error }) };
  }

  [Symbol.dispose](): void {
    this.#lanes.forEach((lane) => lane.close());
    this.#beside[Symbol.dispose]();
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
