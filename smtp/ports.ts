/**
 * The ports of a listener: binding them, accepting at them, and changing the
 * certificate of one that is open.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import type { SmtpEvent } from "./events.ts";
import type { Certificate } from "../net/tls.ts";
import type { ListenerSettings, SmtpAddress } from "./options.ts";

/** How long to wait when connections can't be accepted, in milliseconds. */
const ACCEPT_PAUSE_MS = 250;

/** How long not to say again that connections can't be accepted, in milliseconds. */
const ACCEPT_QUIET_MS = 60_000;

/** How often to try to bind a port again, in milliseconds. */
const REBIND_PAUSE_MS = 1;

/** A client that has come in. */
export interface Arrival {
  /** Its connection. */
  readonly conn: Deno.TcpConn | Deno.TlsConn;
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
  /**
   * Greets new clients with another certificate.
   *
   * @throws What Deno says about a bad one; then the old one stays.
   */
  readonly useCertificate: (certificate: Certificate) => void;
  /** Closes all ports. */
  readonly close: () => void;
}

/** A port, with the socket that is bound to it now. */
interface Port {
  readonly tls: boolean;
  listener: Deno.TcpListener | Deno.TlsListener;
  /** A new socket for the port is wanted, in place of one that is closed. */
  rebind: (() => Deno.TlsListener) | undefined;
}

/** Binds all ports, or throws and leaves none open. */
export function openPorts(settings: ListenerSettings): Ports {
  const { hostname, certificate, proxies } = settings;
  const ports = bind(settings);
  const closed = new AbortController();
  return {
    addrs: ports.map(addressOf),
    async accept(reception) {
      await Promise.all(
        ports.map((port) => acceptAll(port, reception, closed.signal)),
      );
    },
    useCertificate(next) {
      if (certificate === undefined) {
        throw new TypeError("Cannot change the certificate: there is none");
      }
      checkPair(hostname, next);
      for (const port of ports) {
        // Behind a proxy TLS begins later, with whatever is in use then.
        if (!port.tls || proxies !== undefined) continue;
        const at = { hostname, port: port.listener.addr.port };
        port.rebind = () => Deno.listenTls({ ...at, ...next });
        tryClose(port.listener);
      }
    },
    close() {
      closed.abort();
      for (const { listener } of ports) tryClose(listener);
    },
  };
}

function bind(settings: ListenerSettings): Port[] {
  const { hostname, port, tlsPort, certificate, proxies } = settings;
  const ports = [newPort(false, Deno.listen({ hostname, port }))];
  try {
    if (certificate !== undefined) checkPair(hostname, certificate);
    if (certificate === undefined || tlsPort === undefined) return ports;
    const at = { hostname, port: tlsPort };
    // The header of a proxy comes before TLS, and Deno's TLS begins at once.
    const listener = proxies === undefined
      ? Deno.listenTls({ ...at, ...certificate })
      : Deno.listen(at);
    return [...ports, newPort(true, listener)];
  } catch (error) {
    ports.forEach(({ listener }) => listener.close());
    throw error;
  }
}

function newPort(tls: boolean, listener: Port["listener"]): Port {
  return { tls, listener, rebind: undefined };
}

/**
 * Throws unless certificate and key are good and belong together: at the start,
 * and not at the first STARTTLS. Only a listener makes Deno look at them.
 */
function checkPair(hostname: string, certificate: Certificate): void {
  Deno.listenTls({ hostname, port: 0, ...certificate }).close();
}

function addressOf({ listener, tls }: Port): SmtpAddress {
  const { hostname, port } = listener.addr;
  return { transport: "tcp", hostname, port, tls };
}

/** Takes in clients until the ports are closed. */
async function acceptAll(
  port: Port,
  { admit, report }: Reception,
  closed: AbortSignal,
): Promise<void> {
  let quietUntil = 0;
  while (!closed.aborted) {
    try {
      const conn = await port.listener.accept();
      // Replies are whole when they are written: nothing is gained by waiting.
      if ("setNoDelay" in conn) conn.setNoDelay();
      admit({ conn, tls: port.tls });
    } catch (error) {
      if (closed.aborted) return;
      if (hasLeft(error) || await isBoundAgain(port, closed)) continue;
      // Out of file descriptors, most likely. They come back with the clients.
      const now = performance.now();
      if (now >= quietUntil) {
        const event = { kind: "acceptFailed", via: "smtp" } as const;
        report?.({ ...event, error: errorText(error) });
        quietUntil = now + ACCEPT_QUIET_MS;
      }
      await pause(ACCEPT_PAUSE_MS, closed);
    }
  }
}

/**
 * Whether a client has left before it was accepted. That is no trouble of the
 * port's, and no reason to let others wait.
 */
function hasLeft(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionAborted;
}

/**
 * Binds a port again that was closed for a new certificate. The system needs a
 * moment to let go of the old socket; then a client finds the new one.
 */
async function isBoundAgain(port: Port, closed: AbortSignal): Promise<boolean> {
  for (let tries = 0; tries < 1000 && !closed.aborted; tries++) {
    if (port.rebind === undefined) return tries > 0;
    try {
      port.listener = port.rebind();
      port.rebind = undefined;
    } catch {
      await pause(REBIND_PAUSE_MS, closed);
    }
  }
  return false;
}

function pause(milliseconds: number, closed: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      closed.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    closed.addEventListener("abort", end);
  });
}

function tryClose(listener: { close(): void }): void {
  try {
    listener.close();
  } catch {
    // It is closed already.
  }
}
