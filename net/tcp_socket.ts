/**
 * TCP connections that can be reset, by `node:net`: Deno's own connections
 * cannot be.
 *
 * @module
 */

import type { Server, Socket } from "node:net";
import type { Conn } from "./conn.ts";

/** A bound TCP port. */
export interface BoundTcpSocket {
  readonly hostname: string;
  readonly port: number;
  readonly accept: () => Promise<Conn>;
  readonly close: () => void;
}

/**
 * Binds a TCP port. Closing one of its connections resets it, unless
 * `closeWrite` has ended it before: a reset may overtake what was written.
 *
 * Postfix notices a connection that was merely closed only when it has written
 * its next question into it, and that login fails too (fixed in Postfix 20250304). A reset
 * it notices before, and connects again.
 *
 * @throws {Error} If the port is taken or the system refuses.
 */
export async function listenTcp(
  hostname: string,
  port: number,
): Promise<BoundTcpSocket> {
  const arrived: Socket[] = [];
  const waiting: PromiseWithResolvers<Conn>[] = [];
  // Loaded when it is needed: it costs everybody else's start 20 ms.
  const { createServer } = await import("node:net");
  const server = createServer({ noDelay: true }, (socket) => {
    // Errors show in reads and writes; nobody else is to be told.
    socket.on("error", () => {});
    const next = waiting.shift();
    if (next === undefined) arrived.push(socket);
    else next.resolve(wireOf(socket));
  });
  await bind(server, hostname, port);
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the port is not bound");
  }
  return {
    hostname: address.address,
    port: address.port,
    accept: () => {
      const socket = arrived.shift();
      if (socket !== undefined) return Promise.resolve(wireOf(socket));
      const next = Promise.withResolvers<Conn>();
      waiting.push(next);
      return next.promise;
    },
    close: () => {
      server.close();
      arrived.forEach((socket) => socket.resetAndDestroy());
      for (const { reject } of waiting) reject(new Error("closed"));
    },
  };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function wireOf(socket: Socket): Conn {
  let wake = () => {};
  for (const event of ["readable", "end", "close"]) {
    socket.on(event, () => wake());
  }
  return {
    async read(into) {
      for (;;) {
        const length = Math.min(into.length, socket.readableLength);
        const octets: unknown = length > 0 ? socket.read(length) : null;
        if (octets instanceof Uint8Array) {
          into.set(octets);
          return octets.length;
        }
        if (socket.readableEnded || socket.destroyed) return null;
        await new Promise<void>((resolve) => {
          wake = resolve;
          // Without a look at what is there it never says that more has come.
          socket.read(0);
        });
      }
    },
    write: (octets) =>
      new Promise((resolve, reject) => {
        socket.write(
          octets,
          (error) => error ? reject(error) : resolve(octets.length),
        );
      }),
    closeWrite: () => new Promise((resolve) => socket.end(resolve)),
    close: () => {
      if (socket.writableEnded) socket.destroy();
      else socket.resetAndDestroy();
    },
  };
}
