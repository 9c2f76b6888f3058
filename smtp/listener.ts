/**
 * The listener: accepts connections, counts them, and stops in good order.
 *
 * @module
 */

import type { SessionPeer } from "./actions.ts";
import { isLoopback, plainIp } from "./addresses.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { newDeadlines } from "./deadlines.ts";
import type { Deliver } from "./delivery.ts";
import { closedEvent, errorText, type SmtpEvent } from "./events.ts";
import {
  checkedOptions,
  type ListenerSettings,
  type ServeSmtpOptions,
  type SmtpAddress,
} from "./options.ts";
import { REPLIES } from "./replies.ts";
import { newEncrypt } from "./tls.ts";

/** How long transactions under way may take once the listener stops, in milliseconds. */
const GRACE_MS = 10_000;

/** How often time limits are looked at, in milliseconds, at the least. */
const MAX_TICK_MS = 1_000;

/** How many clients over the limit are told so at a time. */
const MAX_REFUSALS = 100;

/** How long to wait when connections can't be accepted, in milliseconds. */
const ACCEPT_PAUSE_MS = 250;

/** A running listener. */
export interface SmtpServer extends AsyncDisposable {
  /** The addresses that it is bound to. */
  readonly addrs: readonly SmtpAddress[];
  /** Resolves when the listener and all its connections are closed. */
  readonly finished: Promise<void>;
  /**
   * Stops in good order: no new connections, `421 4.3.2` to idle ones, ten
   * seconds for transactions under way.
   *
   * @returns A promise for the end, the same as `finished`.
   */
  shutdown(): Promise<void>;
}

/**
 * Serves SMTP submission (RFC 6409) with AUTH (RFC 4954) and STARTTLS (RFC
 * 3207).
 *
 * @param options Where to listen, who decides, and the limits.
 * @param deliver Takes the messages. It gets the envelope and the body as a
 * stream; what it returns is what the client reads.
 * @returns The running listener.
 * @throws {TypeError} If options do not fit together, such as a certificate
 * without a key.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} What the system says when a port is taken or a certificate
 * is not one.
 *
 * @example Take one message
 * ```ts
 * import { newStaticAuthProvider, serveSmtp } from "@meowmail/smtpauth";
 *
 * await using server = serveSmtp(
 *   { port: 0, provider: newStaticAuthProvider({ ann: "secret" }) },
 *   async ({ envelope, body }) => {
 *     const octets = await new Response(body).arrayBuffer();
 *     console.log(envelope.username, "sends", octets.byteLength, "octets");
 *   },
 * );
 * console.log("listening on port", server.addrs[0]?.port);
 * ```
 */
export function serveSmtp(
  options: ServeSmtpOptions,
  deliver: Deliver,
): SmtpServer {
  const settings = checkedOptions(options);
  const report = options.onEvent ?? (() => {});
  const doors = openDoors(settings);
  const clients = newClients(settings, newContext(settings, deliver, report));
  const stop = new AbortController();
  const accepting = doors.map((door) =>
    acceptAll(door, clients.admit, report, stop.signal)
  );
  const addrs = doors.map(addressOf);
  addrs.forEach((address) => options.onListen?.(address));

  const finished = Promise.all(accepting).then(() => clients.ended());
  const close = () => {
    stop.abort();
    doors.forEach((door) => tryClose(door.listener));
  };
  const abort = () => {
    close();
    clients.cut();
  };
  const shutdown = () => {
    if (stop.signal.aborted) return finished;
    close();
    clients.stop();
    const timer = setTimeout(clients.cut, GRACE_MS);
    return finished.finally(() => clearTimeout(timer));
  };
  options.signal?.addEventListener("abort", abort, { once: true });
  finished.then(() => options.signal?.removeEventListener("abort", abort));
  if (options.signal?.aborted) abort();
  return { addrs, finished, shutdown, [Symbol.asyncDispose]: shutdown };
}

/** A socket that accepts connections, in plain text or with TLS from the start. */
type Door =
  | { readonly tls: false; readonly listener: Deno.TcpListener }
  | { readonly tls: true; readonly listener: Deno.TlsListener };

/** A client at the door. */
interface Arrival {
  readonly conn: Deno.TcpConn | Deno.TlsConn;
  readonly tls: boolean;
  /** With TLS from the start: what must be done before the greeting. */
  readonly handshake?: () => Promise<unknown>;
}

async function accept({ tls, listener }: Door): Promise<Arrival> {
  if (!tls) {
    const conn = await listener.accept();
    // Replies are whole when they are written: nothing is gained by waiting.
    conn.setNoDelay();
    return { conn, tls };
  }
  const conn = await listener.accept();
  return { conn, tls, handshake: () => conn.handshake() };
}

/** Binds all ports, or none. */
function openDoors(settings: ListenerSettings): Door[] {
  const { hostname, port, tlsPort, certificate } = settings;
  const doors: Door[] = [];
  try {
    doors.push({ listener: Deno.listen({ hostname, port }), tls: false });
    if (certificate === undefined) return doors;
    // With no port of its own it still proves, at the start and not at the
    // first STARTTLS, that certificate and key are good and belong together.
    const listener = Deno.listenTls({
      hostname,
      port: tlsPort ?? 0,
      ...certificate,
    });
    if (tlsPort === undefined) listener.close();
    else doors.push({ listener, tls: true });
    return doors;
  } catch (error) {
    doors.forEach((door) => door.listener.close());
    throw error;
  }
}

function addressOf({ listener, tls }: Door): SmtpAddress {
  const { hostname, port } = listener.addr;
  return { transport: "tcp", hostname, port, tls };
}

function newContext(
  settings: ListenerSettings,
  deliver: Deliver,
  report: (event: SmtpEvent) => void,
): ConnectionContext {
  const { certificate, idleTimeoutMs } = settings;
  const tickMs = Math.ceil(Math.min(MAX_TICK_MS, idleTimeoutMs / 10));
  return {
    rules: {
      serverName: settings.serverName,
      maxMessageOctets: settings.maxSize,
      authRequired: settings.requireAuth,
      maxAuthFailures: settings.maxAuthFailures,
      startTls: certificate !== undefined,
    },
    provider: settings.provider,
    deliver,
    idleTimeoutMs,
    deadlines: newDeadlines(tickMs),
    encrypt: certificate === undefined
      ? () => Promise.reject(new Error("there is no certificate"))
      : newEncrypt(certificate.cert, certificate.key),
    report,
  };
}

/** Takes in clients until told to stop. */
async function acceptAll(
  door: Door,
  admit: (arrival: Arrival) => void,
  report: (event: SmtpEvent) => void,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    try {
      admit(await accept(door));
    } catch (error) {
      if (stop.aborted) return;
      // Out of file descriptors, most likely. They come back with the clients.
      report({ kind: "acceptFailed", error: errorText(error) });
      await pause(ACCEPT_PAUSE_MS, stop);
    }
  }
}

function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    stop.addEventListener("abort", end);
  });
}

/** All clients of a listener. */
interface Clients {
  readonly admit: (arrival: Arrival) => void;
  readonly stop: () => void;
  readonly cut: () => void;
  /** Resolves once nobody is there. */
  readonly ended: () => Promise<void>;
}

function newClients(
  settings: ListenerSettings,
  context: ConnectionContext,
): Clients {
  const served = new Map<Connection, Promise<void>>();
  const refused = new Map<Connection, Promise<void>>();

  return {
    admit(arrival) {
      const { conn, handshake } = arrival;
      const full = served.size >= settings.maxConnections;
      if (full && refused.size >= MAX_REFUSALS) return conn.close();
      const peer = peerOf(arrival, settings);
      const connection = new Connection(conn, peer, context);
      if (!full) return track(served, connection, connection.run(handshake));
      // A flood of clients is one line in the log, not one each.
      if (refused.size === 0) {
        context.report(closedEvent("too-many-connections", peer));
      }
      const reply = REPLIES.tooManyConnections;
      track(refused, connection, connection.refuse(reply, handshake));
    },
    stop() {
      for (const connection of served.keys()) connection.stop();
    },
    cut() {
      for (const connection of served.keys()) connection.cut();
      for (const connection of refused.keys()) connection.cut();
    },
    async ended() {
      while (served.size + refused.size > 0) {
        await Promise.all([...served.values(), ...refused.values()]);
      }
    },
  };
}

function track(
  group: Map<Connection, Promise<void>>,
  connection: Connection,
  ended: Promise<void>,
): void {
  group.set(connection, ended.then(() => void group.delete(connection)));
}

function peerOf(
  { conn, tls }: Arrival,
  settings: ListenerSettings,
): SessionPeer {
  const local = conn.localAddr.hostname;
  const { certificate, allowInsecureAuth } = settings;
  return {
    remoteIp: plainIp(conn.remoteAddr.hostname),
    tls,
    // What stays on the machine needs no TLS; but who has set a certificate
    // wants it used, and a proxy in front looks like a local client.
    plainTextAuth: allowInsecureAuth ||
      (certificate === undefined && isLoopback(local)),
  };
}

function tryClose(listener: { close(): void }): void {
  try {
    listener.close();
  } catch {
    // It is closed already.
  }
}
