/**
 * Connections to the next hop, in plain text and encrypted.
 *
 * @module
 */

import { isLoopback } from "../../lib/addresses.ts";
import type { Wire } from "../../net/conn.ts";
import { connectTcp } from "../../net/tcp_client.ts";
import type { NextHop } from "./next_hop.ts";

/** A connection in plain text. */
export interface Dialled {
  readonly wire: Wire;
  /** Whether it never leaves the machine. */
  readonly loopback: boolean;
  /** Encrypts it; resolves once the certificate has been found good. */
  readonly encrypt: () => Promise<Wire>;
}

/** Opens a connection; gives up when the signal is aborted. */
export type Dial = (signal: AbortSignal) => Promise<Dialled>;

/**
 * Makes what opens connections to a next hop.
 *
 * @param ca More authorities that may have signed its certificate, in PEM.
 */
export function newDial(hop: NextHop, ca?: string): Dial {
  return async (signal) => {
    const wire = await connectTcp(hop, signal);
    return {
      wire,
      loopback: isLoopback(wire.remoteIp),
      encrypt: () => wire.startTls(hop.hostname, ca),
    };
  };
}
