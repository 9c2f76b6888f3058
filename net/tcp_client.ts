/**
 * TCP connections to other servers, and TLS on them as their client.
 *
 * Where there may be TLS they are node's. Deno's own are quicker, but closing
 * one that is encrypted waits for its handshake or for its last octets without
 * a limit, and a server that neither speaks nor reads would keep its file
 * descriptor for as long as it likes.
 *
 * @module
 */

import type { Socket } from "node:net";
import { isIp } from "../lib/ip.ts";
import { plainIp } from "../lib/addresses.ts";
import type { HostPort } from "./address.ts";
import type { Conn } from "./conn.ts";
import { NodeConn } from "./node_conn.ts";

/** A connection in plain text. */
export interface TcpConnection extends Conn {
  /** The address at its other end. */
  readonly remoteIp: string;
}

/** A connection in plain text that TLS may begin on. */
export interface UpgradableConnection extends TcpConnection {
  /**
   * Encrypts it; resolves once the server's certificate has been found good.
   * Nothing may be reading from it meanwhile. Closing it ends this too.
   *
   * @param name Whose certificate it must be: a name or an address.
   * @param ca Who must have signed it, in PEM. Default: an authority that is
   * trusted anyway. Both at once would need a permission of Deno's more.
   */
  readonly startTls: (name: string, ca: string | undefined) => Promise<Conn>;
}

/**
 * Connects to a server, for plain text.
 *
 * @param signal Gives up when aborted.
 * @throws {Error} What the system says if there is no connection.
 */
export async function connectPlain(
  target: HostPort,
  signal: AbortSignal,
): Promise<TcpConnection> {
  // Node and Bun have nothing quicker than what TLS may begin on.
  if (!("Deno" in globalThis)) return await connectUpgradable(target, signal);
  const conn = await Deno.connect({ ...target, signal });
  conn.setNoDelay(true);
  let isOpen = true;
  return {
    read: (into) => conn.read(into),
    write: (octets) => conn.write(octets),
    closeWrite: () => conn.closeWrite(),
    close() {
      if (isOpen) conn.close();
      isOpen = false;
    },
    remoteIp: plainIp(conn.remoteAddr.hostname),
  };
}

/**
 * Connects to a server, for plain text that TLS may begin on.
 *
 * @param signal Gives up when aborted.
 * @throws {Error} What the system says if there is no connection.
 */
export async function connectUpgradable(
  { hostname, port }: HostPort,
  signal: AbortSignal,
): Promise<UpgradableConnection> {
  signal.throwIfAborted();
  const { connect } = await import("node:net");
  const socket = connect({ host: hostname, port, noDelay: true });
  const conn = new NodeConn(socket);
  const giveUp = () => socket.destroy(new Error("given up"));
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    if (signal.aborted) giveUp();
    await happened(socket, "connect");
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
  return {
    read: (into) => conn.read(into),
    write: (octets) => conn.write(octets),
    closeWrite: () => conn.closeWrite(),
    close: () => conn.close(),
    remoteIp: plainIp(socket.remoteAddress ?? ""),
    startTls: (name, ca) => startTls(socket, name, ca),
  };
}

async function startTls(
  socket: Socket,
  name: string,
  ca: string | undefined,
): Promise<Conn> {
  const { connect } = await import("node:tls");
  const tls = connect({
    socket,
    host: name,
    // Addresses are no server names (RFC 6066 section 3).
    ...(isIp(name) ? {} : { servername: name }),
    ...(ca === undefined ? {} : { ca }),
  });
  // It may break in the turn in which it is there.
  const conn = new NodeConn(tls);
  try {
    await happened(tls, "secureConnect");
    if (!tls.authorized) throw new Error("the certificate is not good");
  } catch (error) {
    tls.destroy();
    socket.destroy();
    throw error;
  }
  return conn;
}

/** Waits for what must come before a connection is of use. */
function happened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("closed by the other side")));
  });
}
