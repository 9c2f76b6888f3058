/**
 * TLS handshakes that end when their connection does.
 *
 * @module
 */

import { type Encrypt, Gone, type Wire } from "./wire.ts";

/**
 * Encrypts as something else does, but gives up when the client has gone before
 * TLS has begun. Node's TLS says nothing of a stream that just ends there: the
 * connection would be kept for ever, even beyond its time limit.
 */
export function untilGone(encrypt: Encrypt): Encrypt {
  return (wire, early) =>
    new Promise((resolve, reject) => {
      let begun = false;
      const unlessGone = <T>(read: Promise<T | null>) =>
        read.then((octets) => {
          if (octets === null) reject(new Gone("closed in the handshake"));
          return octets;
        });
      const watched: Wire = {
        read: (into) => {
          const read = wire.read(into);
          return begun ? read : unlessGone(read);
        },
        write: (octets) => wire.write(octets),
        closeWrite: () => wire.closeWrite(),
        close: () => wire.close(),
      };
      encrypt(watched, early && unlessGone(early)).then((encrypted) => {
        begun = true;
        resolve(encrypted);
      }, reject);
    });
}
