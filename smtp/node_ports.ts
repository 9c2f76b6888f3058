/**
 * The ports of a listener on Node and Bun, where binding takes a moment.
 *
 * @module
 */

import { tryClose } from "../net/conn.ts";
import { checkNodePair } from "../net/node_tls_engine.ts";
import { type BoundTcpSocket, listenTcp } from "../net/tcp_socket.ts";
import type { ListenerSettings } from "./options.ts";
import { type Ports, portsOf } from "./ports.ts";

/** Binds all ports, or rejects and leaves none open. */
export async function openNodePorts(
  settings: ListenerSettings,
): Promise<Ports> {
  const { hostname, port, tlsPort, reusePort, certificate } = settings;
  if (certificate !== undefined) checkNodePair(certificate);
  const listenAt = (port: number) =>
    listenTcp(hostname, port, { halfOpen: true, reusePort });
  const plain = await listenAt(port);
  const bound: { tls: boolean; socket: BoundTcpSocket }[] = [
    { tls: false, socket: plain },
  ];
  try {
    if (tlsPort !== undefined) {
      bound.push({ tls: true, socket: await listenAt(tlsPort) });
    }
  } catch (error) {
    tryClose(plain);
    throw error;
  }
  return portsOf(
    bound.map(({ tls, socket }) => ({
      tls,
      address: socket,
      accept: socket.accept,
      close: socket.close,
    })),
    checkNodePair,
  );
}
