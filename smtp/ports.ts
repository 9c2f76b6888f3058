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
}

/** A port. */
interface Port {
  /** Whether clients are greeted over TLS. */
  readonly tls: boolean;
  readonly listener: Deno.TcpListener;
}

/** Binds all ports, or throws and leaves none open. */
export function openPorts(settings: ListenerSettings): Ports {
  needsDeno(ACTION, "give smtpServerAuth to the package smtp-server");
  const { hostname, certificate } = settings;
  if (certificate !== undefined) checkPair(hostname, certificate);
  const ports = bind(settings);
  const closed = new AbortController();
  return {
    addrs: ports.map(addressOf),
    async accept(reception) {
      await Promise.all(
        ports.map((port) => acceptAt(port, reception, closed.signal)),
      );
    },
    close() {
      closed.abort();
      for (const { listener } of ports) tryClose(listener);
    },
  };
}

function bind(settings: ListenerSettings): Port[] {
  const { hostname, port, tlsPort, reusePort } = settings;
  if (reusePort) checkReuse();
  const listenAt = (port: number) =>
    Deno.listen({ hostname, port, ...(reusePort ? { reusePort } : {}) });
  const plain = { tls: false, listener: listenAt(port) };
  if (tlsPort === undefined) return [plain];
  try {
    const listener = listenAt(tlsPort);
    return [plain, { tls: true, listener }];
  } catch (error) {
    plain.listener.close();
    throw error;
  }
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
 * Throws unless certificate and key are good and belong together: at once, and
 * not at the first client's handshake. Only a listener makes Deno look at them.
 *
 * @throws What Deno says about a bad pair.
 */
export function checkPair(hostname: string, certificate: Certificate): void {
  Deno.listenTls({ hostname, port: 0, ...certificate }).close();
}

function addressOf({ listener, tls }: Port): SmtpAddress {
  const { hostname, port } = listener.addr;
  return { transport: "tcp", hostname, port, tls };
}

function acceptAt(
  { listener, tls }: Port,
  { admit, report }: Reception,
  stop: AbortSignal,
): Promise<void> {
  return acceptAll({
    accept: () => listener.accept(),
    admit(conn) {
      // Replies are whole when they are written: nothing is gained by waiting.
      conn.setNoDelay();
      admit({ conn, tls });
    },
    onFailure: (error) =>
      report?.({
        kind: "acceptFailed",
        via: "smtp",
        error: errorText(error),
      }),
    stop,
  });
}
