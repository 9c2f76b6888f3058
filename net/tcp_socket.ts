/**
 * Listening on TCP by `node:net`: for servers whose connections must be reset,
 * which Deno's own cannot be, and for those that run without Deno.
 *
 * @module
 */

import type { Server, Socket } from "node:net";
import type { Conn } from "./conn.ts";
import { NodeConn } from "./node_conn.ts";

/**
 * How much a socket reads ahead, in octets, before it stops: a packet or what
 * else is there at once, and no more.
 */
const READ_AHEAD_OCTETS = 4_096;

/** A bound TCP port. */
export interface BoundTcpSocket {
  readonly hostname: string;
  readonly port: number;
  /**
   * Waits for the next connection. Rejects if none can be accepted, and once
   * the port is closed.
   */
  readonly accept: () => Promise<TcpSocketConn>;
  readonly close: () => void;
}

/** A connection that somebody has made to a bound port. */
export interface TcpSocketConn extends Conn {
  readonly localAddr: { readonly hostname: string };
  readonly remoteAddr: { readonly hostname: string };
}

/** How a port is bound, and how its connections end. */
export interface TcpSocketOptions {
  /**
   * Whether who has closed the sending half may read on. Otherwise, closing a
   * connection that `closeWrite` has not ended resets it: a reset may overtake
   * what was written. Default: false.
   *
   * Postfix notices a connection that was merely closed only when it has written
   * its next question into it, and that login fails too (fixed in Postfix
   * 20250304). A reset it notices before, and connects again.
   */
  readonly halfOpen?: boolean;
  /** Whether other processes may bind the same port. Default: false. */
  readonly reusePort?: boolean;
}

/**
 * Binds a TCP port.
 *
 * @throws {Error} If the port is taken or the system refuses.
 */
export async function listenTcp(
  hostname: string,
  port: number,
  { halfOpen = false, reusePort = false }: TcpSocketOptions = {},
): Promise<BoundTcpSocket> {
  // Loaded when it is needed: it costs everybody else's start 20 ms.
  const { createServer } = await import("node:net");
  const arrivals = new Arrivals();
  const server = createServer({
    noDelay: true,
    allowHalfOpen: halfOpen,
    highWaterMark: READ_AHEAD_OCTETS,
  }, (socket) => {
    const { remoteAddress } = socket;
    // It has left already, which is no trouble of ours.
    if (remoteAddress === undefined) socket.destroy();
    else arrivals.add(new AcceptedConn(socket, remoteAddress, !halfOpen));
  });
  await bind(server, { host: hostname, port, reusePort });
  server.on("error", (error) => arrivals.fail(error));
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the port is not bound");
  }
  return {
    hostname: address.address,
    port: address.port,
    accept: () => arrivals.next(),
    close() {
      server.close();
      arrivals.close();
    },
  };
}

function bind(
  server: Server,
  where: { host: string; port: number; reusePort: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Connections that have come, or those who wait for one. */
class Arrivals {
  readonly #arrived: AcceptedConn[] = [];
  readonly #waiting: PromiseWithResolvers<AcceptedConn>[] = [];

  add(conn: AcceptedConn): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#arrived.push(conn);
    else next.resolve(conn);
  }

  next(): Promise<AcceptedConn> {
    const conn = this.#arrived.shift();
    if (conn !== undefined) return Promise.resolve(conn);
    const next = Promise.withResolvers<AcceptedConn>();
    this.#waiting.push(next);
    return next.promise;
  }

  /** Tells those who wait; if nobody does, nobody need know. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  close(): void {
    for (const conn of this.#arrived.splice(0)) conn.close();
    this.fail(new Error("closed"));
  }
}

/** A connection that knows where its ends are. */
class AcceptedConn extends NodeConn implements TcpSocketConn {
  readonly localAddr: { readonly hostname: string };
  readonly remoteAddr: { readonly hostname: string };

  constructor(socket: Socket, remoteIp: string, resets: boolean) {
    super(socket, resets);
    this.localAddr = { hostname: socket.localAddress ?? "" };
    this.remoteAddr = { hostname: remoteIp };
  }
}
