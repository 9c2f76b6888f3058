/**
 * A connection upon a socket of `node:net`, or of `node:tls` as its client.
 *
 * Such a socket pushes what arrives. It stops as soon as its buffer is full, so
 * that somebody who is not read from costs no more than that.
 *
 * @module
 */

import type { Socket } from "node:net";
import { type Conn, Gone } from "./conn.ts";

/** What makes a socket's owner look again at what there is to read. */
const NEWS = ["readable", "end", "close"] as const;

/** A socket of node's as the connection that others want. */
export class NodeConn implements Conn {
  readonly #socket: Socket;
  readonly #resets: boolean;
  #wake: () => void = () => {};
  /** What has broken it. */
  #error: Error | undefined;
  #closed = false;

  /**
   * @param socket Nobody else reads from it.
   * @param resets Whether `close` resets it, unless `closeWrite` has ended it
   * before: a reset may overtake what was written.
   */
  constructor(socket: Socket, resets = false) {
    this.#socket = socket;
    this.#resets = resets;
    const wake = () => this.#wake();
    for (const event of NEWS) socket.on(event, wake);
    // An error shows in reads and writes; nobody else is to be told.
    socket.on("error", (error: Error) => {
      this.#error ??= error;
      // Deno's TLS reads on behind its own, and keeps all that comes.
      socket.destroy();
      wake();
    });
  }

  async read(into: Uint8Array<ArrayBuffer>): Promise<number | null> {
    const socket = this.#socket;
    for (;;) {
      if (this.#closed) throw new Gone("closed");
      const length = Math.min(into.length, socket.readableLength);
      const octets: unknown = length > 0 ? socket.read(length) : null;
      if (octets instanceof Uint8Array) {
        into.set(octets);
        return octets.length;
      }
      const error = this.#error ?? socket.errored;
      if (error) throw gone(error);
      if (socket.readableEnded || socket.destroyed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // Without a look at what is there it never says that more has come.
        socket.read(0);
      });
    }
  }

  write(octets: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(
        octets,
        (error) => error ? reject(gone(error)) : resolve(octets.length),
      );
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  close(): void {
    this.#closed = true;
    if (this.#resets && !this.#socket.writableEnded) {
      this.#socket.resetAndDestroy();
    } else this.#socket.destroy();
  }
}

/** Whatever has broken a connection: nobody is at its other end any more. */
function gone(cause: Error): Gone {
  return new Gone(cause.message, { cause });
}
