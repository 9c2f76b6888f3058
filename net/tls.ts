/**
 * TLS on a connection that is already open, for STARTTLS. Deno can begin TLS
 * as a server only on a new connection, node's TLS on any stream. This is the
 * only file that imports node's modules, and it does so only when there is a
 * certificate: they cost a listener without one tens of milliseconds.
 *
 * @module
 */

import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type Encrypt, Gone, type Wire, writeAll } from "./conn.ts";

/**
 * How much is read from the socket at once, in octets: enough for commands, and
 * as soon as that is not enough, several TLS records.
 */
const SMALL_READ_OCTETS = 4_096;
const LARGE_READ_OCTETS = 65_536;

/** A certificate chain with its private key, in PEM. */
export interface Certificate {
  /** The certificate chain. */
  readonly cert: string;
  /** The private key. */
  readonly key: string;
}

/** Makes the function that encrypts connections (RFC 3207). */
export function newEncrypt({ cert, key }: Certificate): Encrypt {
  const modules = Promise.all([import("node:tls"), import("node:stream")]);
  const ready = modules.then(([tls, stream]) => ({
    secureContext: tls.createSecureContext({ cert, key }),
    TLSSocket: tls.TLSSocket,
    Duplex: stream.Duplex,
  }));
  // Whoever encrypts first hears of it; until then it is nobody's rejection.
  ready.catch(() => {});

  return async (wire, early) => {
    const { secureContext, TLSSocket, Duplex } = await ready;
    // Node's TLS does not tell of a stream that ends before TLS is on.
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const stream = asDuplex(Duplex, wire, early, reject);
    const options = { isServer: true, secureContext, allowHalfOpen: true };
    const socket = new TLSSocket(stream, options);
    await Promise.race([handshake(socket), gone]);
    return asWire(socket, wire);
  };
}

/** A socket as the stream that node's TLS wants; tells when it has ended. */
function asDuplex(
  DuplexStream: typeof Duplex,
  wire: Wire,
  early: Promise<Uint8Array | null> | undefined,
  onEnd: (error: Error) => void,
): Duplex {
  const nextPiece = newPieces(wire, early);
  return new DuplexStream({
    read() {
      nextPiece().then((octets) => {
        if (octets === null) onEnd(new Gone("closed in the handshake"));
        this.push(octets);
      }, (error) => {
        onEnd(error);
        this.destroy(error);
      });
    },
    write(octets: Uint8Array, _encoding, done) {
      writeAll(wire, octets).then(() => done(), done);
    },
  });
}

/** Reads from a socket piece by piece; `null` at the end. */
function newPieces(
  wire: Wire,
  early: Promise<Uint8Array | null> | undefined,
): () => Promise<Uint8Array | null> {
  let first = early;
  let space = new Uint8Array(SMALL_READ_OCTETS);
  return async () => {
    if (first !== undefined) {
      const octets = await first;
      first = undefined;
      return octets;
    }
    const count = await wire.read(space);
    if (count === null) return null;
    const octets = space.slice(0, count);
    const size = sizeAfter(count);
    if (size !== space.length) space = new Uint8Array(size);
    return octets;
  };
}

/** The size of the next read after one that has brought so many octets. */
function sizeAfter(count: number): number {
  return count < SMALL_READ_OCTETS ? SMALL_READ_OCTETS : LARGE_READ_OCTETS;
}

/** Encrypted means: after `secure`, and not a moment before. */
function handshake(socket: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("secure", resolve);
    socket.once("error", reject);
    socket.once("close", () => reject(new Gone("closed in the handshake")));
  });
}

/** An encrypted stream as the wire that a connection wants. */
function asWire(socket: TLSSocket, plain: Wire): Wire {
  let waiting: Uint8Array | undefined;
  let failure: Error | undefined;
  let over = false;
  let wake: (() => void) | undefined;
  socket.on("readable", () => wake?.());
  socket.on("end", () => {
    over = true;
    wake?.();
  });
  socket.on("error", (error) => failure = error);
  socket.on("close", () => {
    failure ??= new Error("closed");
    wake?.();
  });

  function take(into: Uint8Array): number {
    const octets = waiting ?? new Uint8Array();
    const taken = octets.subarray(0, into.length);
    into.set(taken);
    waiting = taken.length < octets.length
      ? octets.subarray(taken.length)
      : undefined;
    return taken.length;
  }

  return {
    async read(into) {
      for (;;) {
        waiting ??= socket.read() ?? undefined;
        if (waiting !== undefined) return take(into);
        if (over) return null;
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
    write(octets) {
      return new Promise((resolve, reject) => {
        socket.write(octets, (error) => {
          if (error) reject(error);
          else resolve(octets.length);
        });
      });
    },
    async closeWrite() {
      await new Promise<void>((resolve) => socket.end(() => resolve()));
      await plain.closeWrite();
    },
    close() {
      socket.destroy();
      plain.close();
    },
  };
}
