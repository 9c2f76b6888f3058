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
import type { Certificate } from "./options.ts";
import { type Encrypt, Gone, type Wire, writeAll } from "./wire.ts";

/** The most octets to read from the socket at once: a TLS record and a bit. */
const READ_OCTETS = 17_408;

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
    const options = { isServer: true, secureContext, allowHalfOpen: true };
    const socket = new TLSSocket(asDuplex(Duplex, wire, early), options);
    await handshake(socket);
    return asWire(socket, wire);
  };
}

/** A socket as the stream that node's TLS wants. */
function asDuplex(
  DuplexStream: typeof Duplex,
  wire: Wire,
  early: Promise<Uint8Array | null> | undefined,
): Duplex {
  let first = early;
  return new DuplexStream({
    read() {
      const octets = first ?? readSome(wire);
      first = undefined;
      octets.then((some) => this.push(some), (error) => this.destroy(error));
    },
    write(octets: Uint8Array, _encoding, done) {
      writeAll(wire, octets).then(() => done(), done);
    },
  });
}

async function readSome(wire: Wire): Promise<Uint8Array | null> {
  const space = new Uint8Array(READ_OCTETS);
  const octets = await wire.read(space);
  return octets === null ? null : space.subarray(0, octets);
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
