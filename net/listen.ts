/**
 * Listening on a unix socket or a TCP port, in one way for both.
 *
 * @module
 */

import type { HostPort, SocketAddress } from "./address.ts";
import type { Conn } from "./conn.ts";
import { listenTcp } from "./tcp_socket.ts";
import { listenUnix, type UnixSocket } from "./unix_socket.ts";

/** A socket that accepts connections. */
export interface Bound {
  /** Waits for the next connection; rejects once it is closed. */
  readonly accept: () => Promise<Conn>;
  /** Accepts no more, and takes away the socket file if there is one. */
  readonly close: () => void;
  /** Where it is; the port is the real one. */
  readonly address: SocketAddress;
}

/**
 * Binds a socket.
 *
 * @throws {Error} If the place is taken or the system refuses.
 */
export async function listen(
  at: UnixSocket | HostPort,
): Promise<Bound> {
  if ("path" in at) {
    const { listener, remove } = await listenUnix(at);
    return {
      accept: () => listener.accept(),
      close: () => {
        listener.close();
        remove();
      },
      address: { path: at.path },
    };
  }
  const { accept, close, hostname, port } = await listenTcp(
    at.hostname,
    at.port,
  );
  return { accept, close, address: { hostname, port } };
}
