/**
 * A client that speaks TLS to a socket whose server is the test: all in memory,
 * so that a test sees what is read from the socket and when.
 *
 * @module
 */

import { Duplex } from "node:stream";
import {
  connect,
  type ConnectionOptions,
  type TLSSocket as NodeTlsSocket,
} from "node:tls";
import type { Conn } from "../../net/conn.ts";
import { concat } from "../../lib/octets.ts";

/** A socket in memory. */
export class MemorySocket implements Conn {
  /** How often somebody has asked for octets. */
  reads = 0;
  closed = false;
  /** What was written and the other side has not taken, if it takes nothing. */
  readonly written: Uint8Array[] = [];
  /** The other side takes what is written. */
  take: ((octets: Uint8Array | null) => void) | undefined;
  readonly #arrived: (Uint8Array | null)[] = [];
  #waiting: PromiseWithResolvers<void> | undefined;

  /** The other side sends something, or ends with `null`. */
  send(octets: Uint8Array | null): void {
    this.#arrived.push(octets);
    this.#waiting?.resolve();
  }

  async read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    while (this.#arrived.length === 0 && !this.closed) {
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
    }
    if (this.closed) throw new Deno.errors.BadResource("closed");
    const [octets = null] = this.#arrived;
    if (octets === null) return null;
    const part = octets.subarray(0, into.length);
    into.set(part);
    if (part.length === octets.length) this.#arrived.shift();
    else this.#arrived[0] = octets.subarray(part.length);
    return part.length;
  }

  write(octets: Uint8Array): Promise<number> {
    const copy = octets.slice();
    if (this.take === undefined) this.written.push(copy);
    else this.take(copy);
    return Promise.resolve(octets.length);
  }

  closeWrite(): Promise<void> {
    this.take?.(null);
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
    this.#waiting?.resolve();
  }

  /** All that was written, in one piece. */
  get output(): Uint8Array {
    return concat(this.written);
  }
}

/** A client at the other end of a socket. */
export interface TlsPeer {
  readonly tls: NodeTlsSocket;
  /** All that it has heard. */
  readonly heard: () => string;
  /** It has heard that nothing more comes: the close_notify. */
  readonly ended: Promise<void>;
  /** From now on what it sends is kept here, and not sent. */
  readonly keep: () => Uint8Array[];
}

/** Begins TLS as a client. */
export function connectTo(
  socket: MemorySocket,
  options: ConnectionOptions = {},
): TlsPeer {
  let kept: Uint8Array[] | undefined;
  const beneath = new Duplex({
    read() {},
    write(octets: Uint8Array, _encoding, done) {
      if (kept === undefined) socket.send(new Uint8Array(octets));
      else kept.push(new Uint8Array(octets));
      done();
    },
  });
  socket.take = (octets) => beneath.push(octets);
  const tls = connect({
    socket: beneath,
    rejectUnauthorized: false,
    ...options,
  });
  let heard = "";
  const decoder = new TextDecoder();
  tls.on("data", (octets: Uint8Array) => heard += decoder.decode(octets));
  tls.on("error", () => {});
  const ended = new Promise<void>((resolve) => tls.once("end", resolve));
  return { tls, heard: () => heard, ended, keep: () => kept ??= [] };
}
