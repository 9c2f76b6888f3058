/**
 * Connections to the next hop, in plain text and encrypted.
 *
 * @module
 */

import { isLoopback } from "../../lib/addresses.ts";
import type { Conn } from "../../net/conn.ts";
import { connectPlain, connectUpgradable } from "../../net/tcp_client.ts";
import type { NextHop } from "./next_hop.ts";

/** A connection in plain text. */
export interface Dialled {
  readonly conn: Conn;
  /** Whether it never leaves the machine. */
  readonly loopback: boolean;
  /**
   * Encrypts it; resolves once the certificate has been found good. Absent:
   * TLS needs another connection.
   */
  readonly encrypt?: () => Promise<Conn>;
}

/** Opens connections to one next hop. */
export interface Dialler {
  /** Opens one; gives up when the signal is aborted. */
  connect(signal: AbortSignal): Promise<Dialled>;
  /** The next hop offers TLS: from now on each connection can be encrypted. */
  expectTls(): void;
}

/** Opens connections to a next hop by TCP. */
export class TcpDialler implements Dialler {
  readonly #hop: NextHop;
  readonly #ca: string | undefined;
  /** Connections that can be encrypted cost twice as much. */
  #mayBeTls: boolean;

  /** @param ca Who must have signed its certificate, in PEM. */
  constructor(hop: NextHop, ca: string | undefined) {
    this.#hop = hop;
    this.#ca = ca;
    this.#mayBeTls = hop.security !== "offered";
  }

  async connect(signal: AbortSignal): Promise<Dialled> {
    if (!this.#mayBeTls) {
      const conn = await connectPlain(this.#hop, signal);
      return { conn, loopback: isLoopback(conn.remoteIp) };
    }
    const conn = await connectUpgradable(this.#hop, signal);
    return {
      conn,
      loopback: isLoopback(conn.remoteIp),
      encrypt: () => conn.startTls(this.#hop.hostname, this.#ca),
    };
  }

  expectTls(): void {
    this.#mayBeTls = true;
  }
}
