/**
 * The floor's STARTTLS: node's TLS on a Deno connection with as little between
 * them as there can be.
 *
 * @module
 */

import { Duplex } from "node:stream";
import { createSecureContext, TLSSocket } from "node:tls";
import type { Certificate } from "../config.ts";

/** A TLS record and a bit. */
const READ_OCTETS = 17_408;

/** What the floor needs of a connection. */
interface Pipe {
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  write(octets: Uint8Array): Promise<number>;
  close(): void;
}

/** Makes the function that encrypts a connection. */
export function newEncrypt(
  certificate: Certificate,
): (pipe: Pipe) => Promise<Pipe> {
  const secureContext = createSecureContext({ ...certificate });
  return (pipe) =>
    new Promise((resolve, reject) => {
      const socket = new TLSSocket(asDuplex(pipe), {
        isServer: true,
        secureContext,
      });
      socket.on("error", reject);
      socket.once("secure", () => resolve(asPipe(socket, pipe)));
    });
}

function asDuplex(pipe: Pipe): Duplex {
  const space = new Uint8Array(READ_OCTETS);
  return new Duplex({
    read() {
      pipe.read(space).then(
        (count) => this.push(count === null ? null : space.slice(0, count)),
        (error) => this.destroy(error),
      );
    },
    write(octets: Uint8Array, _encoding, done) {
      pipe.write(octets).then(() => done(), done);
    },
  });
}

function asPipe(socket: TLSSocket, plain: Pipe): Pipe {
  let wake: (() => void) | undefined;
  let over = false;
  const stop = () => {
    over = true;
    wake?.();
  };
  socket.on("readable", () => wake?.());
  socket.on("end", stop);
  socket.on("close", stop);
  return {
    async read() {
      for (;;) {
        const octets: Uint8Array | null = socket.read();
        if (octets !== null) return octets.length;
        if (over) return null;
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
    write(octets) {
      return new Promise((resolve) =>
        socket.write(octets, () => resolve(octets.length))
      );
    },
    close() {
      socket.destroy();
      plain.close();
    },
  };
}
