/**
 * The ports of a listener: binding them, and accepting at them.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import { needsDeno } from "../lib/needs_deno.ts";
import { acceptAll } from "../net/accept.ts";
import { type Conn, tryClose } from "../net/conn.ts";
import type { Certificate } from "../net/tls.ts";
import type { SmtpEvent } from "./events.ts";
import { ACTION, type ListenerSettings, type SmtpAddress } from "./options.ts";

/** A connection that knows where its ends are. `Deno.TcpConn` is one. */
export interface PeerConn extends Conn {
  readonly localAddr: { readonly hostname: string };
  readonly remoteAddr: { readonly hostname: string };
}

/** A client that has come in. */
export interface Arrival {
  /** Its connection. */
  readonly conn: PeerConn;
  /** Whether it is to be greeted over TLS. */
  readonly tls: boolean;
}

/** Who is told of arrivals and of trouble. */
export interface Reception {
  /** Takes a client in. */
  readonly admit: (arrival: Arrival) => void;
  /** The log. */
  readonly report: ((event: SmtpEvent) => void) | undefined;
}

/** The open ports of a listener. */
export interface Ports {
  /** Where they are. */
  readonly addrs: readonly SmtpAddress[];
  /** Begins to accept; resolves once all ports are closed. */
  readonly accept: (reception: Reception) => Promise<void>;
  /** Closes all ports. */
  readonly close: () => void;
  /**
   * Throws unless certificate and key are good and belong together: at once,
   * and not at the first client's handshake.
   */
  readonly checkPair: (certificate: Certificate) => void;
}

/** A port, however it was bound. */
export interface Port {
  /** Whether clients are greeted over TLS. */
  readonly tls: boolean;
  /** Where it is. */
  readonly address: { readonly hostname: string; readonly port: number };
  /** Waits for the next connection. */
  readonly accept: () => Promise<PeerConn>;
  /** Accepts no more. */
  readonly close: () => void;
}

/**
 * Binds all ports, or throws and leaves none open.
 *
 * @throws {Error} Where there is no Deno: nothing else can do so at once.
 */
export function openPorts(settings: ListenerSettings): Ports {
  needsDeno(ACTION, "await listenSmtp");
  const { hostname, certificate } = settings;
  const check = (pair: Certificate) => checkPair(hostname, pair);
  if (certificate !== undefined) check(certificate);
  return portsOf(bind(settings), check);
}

/** Makes one thing of all ports of a listener. */
export function portsOf(
  ports: readonly Port[],
  checkPair: Ports["checkPair"],
): Ports {
  const closed = new AbortController();
  return {
    addrs: ports.map(({ address: { hostname, port }, tls }) => ({
      transport: "tcp",
      hostname,
      port,
      tls,
    })),
    async accept(reception) {
      await Promise.all(
        ports.map((port) => acceptAt(port, reception, closed.signal)),
      );
    },
    close() {
      closed.abort();
      ports.forEach(tryClose);
    },
    checkPair,
  };
}

function bind(settings: ListenerSettings): Port[] {
  const { hostname, port, tlsPort, reusePort } = settings;
  if (reusePort) checkReuse();
  const listenAt = (port: number, tls: boolean) => {
    const reuse = reusePort ? { reusePort } : {};
    return denoPort(Deno.listen({ hostname, port, ...reuse }), tls);
  };
  const plain = listenAt(port, false);
  if (tlsPort === undefined) return [plain];
  try {
    return [plain, listenAt(tlsPort, true)];
  } catch (error) {
    plain.close();
    throw error;
  }
}

function denoPort(listener: Deno.TcpListener, tls: boolean): Port {
  return {
    tls,
    address: listener.addr,
    async accept() {
      const conn = await listener.accept();
      // Replies are whole when they are written: nothing is gained by waiting.
      conn.setNoDelay();
      return conn;
    },
    close: () => listener.close(),
  };
}

/**
 * Throws where Deno would end the process: what it hides without its flag is
 * how to know.
 */
function checkReuse(): void {
  if ("listenDatagram" in Deno) return;
  throw new Error(`Cannot ${ACTION}: reusePort needs Deno's --unstable-net`);
}

/**
 * Throws what Deno says about a bad pair of certificate and key. Only a
 * listener makes it look at them.
 */
function checkPair(hostname: string, certificate: Certificate): void {
  Deno.listenTls({ hostname, port: 0, ...certificate }).close();
}

function acceptAt(
  { accept, tls }: Port,
  { admit, report }: Reception,
  stop: AbortSignal,
): Promise<void> {
  return acceptAll({
    accept,
    admit: (conn) => admit({ conn, tls }),
    onFailure: (error) =>
      report?.({
        kind: "acceptFailed",
        via: "smtp",
        error: errorText(error),
      }),
    stop,
  });
}
