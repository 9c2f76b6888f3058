/**
 * Two ends of a connection without a network.
 *
 * @module
 */

import { concat } from "../lib/octets.ts";
import type { Conn } from "../net/conn.ts";

/** How much waits for a reader before writers wait too, in octets. */
const ROOM = 65_536;

/** Connects two ends: what is written to one is read from the other. */
export function newMemoryPair(): readonly [Conn, Conn] {
  const there = new Pipe();
  const back = new Pipe();
  return [endOf(there, back), endOf(back, there)];
}

function endOf(out: Pipe, into: Pipe): Conn {
  return {
    read: (space) => into.read(space),
    write: (octets) => out.write(octets),
    closeWrite() {
      out.end();
      return Promise.resolve();
    },
    close() {
      out.end();
      into.abandon();
    },
  };
}

/** One direction. */
class Pipe {
  #waiting: Uint8Array = new Uint8Array();
  #ended = false;
  #abandoned = false;
  /** Settles when any of this changes. */
  #change = Promise.withResolvers<void>();

  async read(into: Uint8Array): Promise<number | null> {
    for (;;) {
      if (this.#abandoned) throw new ConnectionClosed("BadResource");
      const octets = this.#waiting.subarray(0, into.length);
      if (octets.length > 0) {
        into.set(octets);
        this.#waiting = this.#waiting.subarray(octets.length);
        this.#changed();
        return octets.length;
      }
      if (this.#ended) return null;
      await this.#change.promise;
    }
  }

  async write(octets: Uint8Array): Promise<number> {
    for (;;) {
      if (this.#ended) throw new ConnectionClosed("BadResource");
      if (this.#abandoned) throw new ConnectionClosed("BrokenPipe");
      const room = ROOM - this.#waiting.length;
      if (room > 0) {
        const taken = octets.slice(0, room);
        this.#waiting = concat([this.#waiting, taken]);
        this.#changed();
        return taken.length;
      }
      await this.#change.promise;
    }
  }

  /** Nothing more will be written. */
  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** Nothing more will be read. */
  abandon(): void {
    this.#abandoned = true;
    this.#changed();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** What a runtime throws where a connection is no longer there. */
class ConnectionClosed extends Error {
  constructor(name: "BadResource" | "BrokenPipe") {
    super("the connection is closed");
    this.name = name;
  }
}
