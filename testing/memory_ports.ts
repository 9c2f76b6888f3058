/**
 * A listener's ports without a network.
 *
 * @module
 */

import type { Conn } from "../net/conn.ts";
import type { Ports, Reception } from "../smtp/ports.ts";
import { newMemoryPair } from "./memory_pair.ts";

/** Where a listener takes in whoever is in the same program. */
export interface MemoryPorts extends Ports {
  /**
   * Connects from an address.
   *
   * @throws {Error} If the listener accepts nobody any more.
   */
  readonly connect: (remoteIp: string) => Conn;
}

/** Makes them. Connections count as such of the machine itself. */
export function newMemoryPorts(): MemoryPorts {
  const closed = Promise.withResolvers<void>();
  let reception: Reception | undefined;
  return {
    addrs: [],
    accept(by) {
      reception = by;
      return closed.promise;
    },
    close() {
      reception = undefined;
      closed.resolve();
    },
    checkPair() {
      // Nobody is greeted with it.
    },
    connect(remoteIp) {
      if (reception === undefined) throw new Error("the listener has ended");
      const [near, far] = newMemoryPair();
      const conn = {
        ...far,
        localAddr: { hostname: "127.0.0.1" },
        remoteAddr: { hostname: remoteIp },
      };
      reception.admit({ conn, tls: false });
      return near;
    },
  };
}
