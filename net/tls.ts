/**
 * TLS as a server, on connections that are open already: after STARTTLS, after
 * a proxy's header, or as soon as they are accepted.
 *
 * Deno's own TLS connections are not used. Closing one waits for its handshake
 * or for its last octets without a limit, and a client that neither speaks nor
 * reads keeps its file descriptor for as long as it likes.
 *
 * Node's modules, on which this is built, are loaded only where there is a
 * certificate: they cost a listener without one tens of milliseconds.
 *
 * @module
 */

import type { Encrypt } from "./conn.ts";
import { TlsConnection } from "./tls_connection.ts";
import type { Certificate, NewTlsEngine } from "./tls_engine.ts";

export type { Certificate };

/** Makes the function that encrypts connections (RFC 3207, RFC 8314). */
export function newEncrypt(certificate: Certificate): Encrypt {
  const loading = loadEngine(certificate);
  // The first connection is told of it; until then, mark it handled.
  loading.catch(() => {});
  return async (socket, early) => {
    const newEngine = await loading;
    const connection = new TlsConnection(socket, newEngine());
    await connection.handshake(early);
    return connection;
  };
}

async function loadEngine(certificate: Certificate): Promise<NewTlsEngine> {
  if ("Deno" in globalThis) {
    const { denoTlsEngine } = await import("./deno_tls_engine.ts");
    const engine = denoTlsEngine(certificate);
    if (engine !== undefined) return engine;
  }
  const { nodeTlsEngine } = await import("./node_tls_engine.ts");
  return nodeTlsEngine(certificate);
}
