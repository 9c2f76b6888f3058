/**
 * TLS by node's `TLSSocket`, which wants a stream beneath it: this one moves
 * nothing by itself.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import {
  type Certificate,
  type NewTlsEngine,
  Remains,
  type TlsEngine,
} from "./tls_engine.ts";

const NOTHING = new Uint8Array(0);

/** Makes engines that have a certificate. */
export function nodeTlsEngine({ cert, key }: Certificate): NewTlsEngine {
  const secureContext = createSecureContext({ cert, key });
  return () => new NodeTlsEngine(secureContext);
}

/**
 * Throws unless certificate and key are good and belong together.
 *
 * @throws What OpenSSL says about a bad pair.
 */
export function checkNodePair({ cert, key }: Certificate): void {
  createSecureContext({ cert, key });
}

class NodeTlsEngine implements TlsEngine {
  secure = false;
  ended = false;
  error: Error | undefined;
  readonly #socket: TLSSocket;
  readonly #carrier = new Carrier();
  readonly #remains = new Remains();

  constructor(secureContext: SecureContext) {
    this.#socket = new TLSSocket(this.#carrier, {
      isServer: true,
      secureContext,
    });
    this.#socket.on("secure", () => this.secure = true);
    this.#socket.on("data", (octets: Uint8Array) => this.#remains.add(octets));
    this.#socket.on("end", () => this.ended = true);
    this.#socket.on("error", (error: Error) => this.error ??= inShort(error));
  }

  async receive(octets: Uint8Array, into: Uint8Array): Promise<number> {
    this.#carrier.emit("data", octets);
    await settled();
    return this.#remains.read(into);
  }

  read(into: Uint8Array): number {
    return this.#remains.read(into);
  }

  write(octets: Uint8Array): Promise<void> {
    this.#socket.write(octets);
    return settled();
  }

  end(): Promise<void> {
    this.#socket.end();
    return settled();
  }

  output(): Uint8Array {
    return this.#carrier.sent.shift() ?? NOTHING;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** OpenSSL also says where in its source that was. */
function inShort(error: Error): Error {
  return "reason" in error && typeof error.reason === "string"
    ? new Error(error.reason)
    : error;
}

/** Node's TLS does one half of its work a little later. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The stream beneath a `TLSSocket`: keeps what is sent, emits what it is told. */
class Carrier extends Duplex {
  /** What TLS has sent. */
  readonly sent: Uint8Array[] = [];

  constructor() {
    super({ autoDestroy: false, emitClose: false });
  }

  override _read(): void {
    // Nothing comes by itself.
  }

  override _write(octets: Uint8Array, _encoding: string, done: () => void) {
    this.sent.push(octets);
    done();
  }

  /** An alert is sent by a `TLSSocket` that has destroyed its stream. */
  override destroy(): this {
    return this;
  }

  override pause(): this {
    return this;
  }

  override resume(): this {
    return this;
  }
}
