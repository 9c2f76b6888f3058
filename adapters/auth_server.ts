/**
 * What the adapters with a socket of their own have in common: accepting
 * connections, counting them, and stopping in good order.
 *
 * @module
 */

import type { AuthProvider } from "../auth/types.ts";
import { errorText } from "../lib/error_text.ts";
import { pause } from "../lib/race.ts";
import type { Wire } from "../net/conn.ts";
import { checkedProvider, checkedTimeout, within } from "./ask.ts";
import type { AdapterEvent, AdapterName, AdapterReport } from "./events.ts";
import { listenTcp } from "../net/tcp_socket.ts";
import {
  checkedUnixSocket,
  listenUnix,
  type UnixSocket,
} from "../net/unix_socket.ts";

/** How long questions under way may take once a server stops, in milliseconds. */
const GRACE_MS = 10_000;

/** How long to wait when connections can't be accepted, in milliseconds. */
const ACCEPT_PAUSE_MS = 250;

/** Where and how a server of an authentication protocol listens. */
export interface AuthServerOptions {
  /** Decides who may log in. */
  readonly provider: AuthProvider;
  /**
   * The path of a unix socket, the recommended form: only who may open the
   * file can ask. One that a dead server has left is replaced, one that is
   * served is not. Default: none, and then there must be a `port`.
   */
  readonly path?: string;
  /** The permission bits of the unix socket. Default: `0o660`. */
  readonly mode?: number;
  /**
   * The group of the unix socket: a number, or a name in `/etc/group`.
   * Default: that of the process.
   */
  readonly group?: number | string;
  /** The TCP port; 0 for any free one. Default: none. */
  readonly port?: number;
  /** The address for `port`. Default: `127.0.0.1`. */
  readonly hostname?: string;
  /**
   * How long the provider may take, in milliseconds; then the answer is a
   * temporary failure. Default: 9000, because Postfix waits for ten seconds.
   */
  readonly timeoutMs?: number;
  /** How many connections are served at a time. Default: 1000. */
  readonly maxConnections?: number;
  /** Ends the server and all its connections at once when aborted. */
  readonly signal?: AbortSignal;
  /** Called once the socket is bound. */
  readonly onListen?: (address: AuthServerAddress) => void;
  /** Called with what a log would want to know. */
  readonly onEvent?: (event: AdapterEvent) => void;
}

/** Where a server is. */
export type AuthServerAddress = AuthServerUnixAddress | AuthServerTcpAddress;

/** A unix socket. */
export interface AuthServerUnixAddress {
  /** The kind of socket. */
  readonly transport: "unix";
  /** The path of the socket file. */
  readonly path: string;
}

/** A TCP port. */
export interface AuthServerTcpAddress {
  /** The kind of socket. */
  readonly transport: "tcp";
  /** The IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A running server of an authentication protocol. */
export interface AuthServer extends AsyncDisposable {
  /** The address that it is bound to. */
  readonly addrs: readonly AuthServerAddress[];
  /** Resolves when the server and all its connections are closed. */
  readonly finished: Promise<void>;
  /**
   * Stops in good order: no new connections and no new questions, ten seconds
   * for those under way. The socket file is taken away.
   *
   * @returns A promise for the end, the same as `finished`.
   */
  shutdown(): Promise<void>;
}

/** What a server is: its name, what it does, and how it talks to one client. */
export interface AuthServerKind {
  readonly name: AdapterName;
  /** In error texts: `serve Dovecot auth`. */
  readonly action: string;
  /** Serves one connection until it is over. It is closed behind it. */
  readonly talk: (wire: Wire, context: AuthServerContext) => Promise<void>;
}

/** What a connection is told. */
export interface AuthServerContext {
  readonly provider: AuthProvider;
  readonly timeoutMs: number;
  readonly report: AdapterReport;
  /** Aborted when nothing new may begin. */
  readonly stop: AbortSignal;
}

/** Checks the options, binds the socket and serves it. */
export async function openAuthServer(
  kind: AuthServerKind,
  options: AuthServerOptions,
): Promise<AuthServer> {
  const { name, action } = kind;
  const stop = new AbortController();
  const report = options.onEvent ?? (() => {});
  const context: AuthServerContext = {
    provider: checkedProvider(action, options.provider),
    timeoutMs: checkedTimeout(action, options.timeoutMs),
    report,
    stop: stop.signal,
  };
  const place = checkedPlace(action, options);
  const maxConnections = within(
    action,
    "maxConnections",
    options.maxConnections ?? 1_000,
    1,
    1_000_000,
  );

  const bound = await bind(place);
  const clients = newClients(kind, context, maxConnections);
  const close = () => {
    if (stop.signal.aborted) return;
    stop.abort();
    bound.close();
  };
  const abort = () => {
    close();
    clients.cut();
  };
  const finished = acceptAll(name, bound, clients.admit, context)
    .then(clients.ended);
  const shutdown = () => {
    if (stop.signal.aborted) return finished;
    close();
    const timer = setTimeout(clients.cut, GRACE_MS);
    return finished.finally(() => clearTimeout(timer));
  };
  options.signal?.addEventListener("abort", abort, { once: true });
  finished.then(() => options.signal?.removeEventListener("abort", abort));
  if (options.signal?.aborted) abort();
  else options.onListen?.(bound.address);
  return {
    addrs: [bound.address],
    finished,
    shutdown,
    [Symbol.asyncDispose]: shutdown,
  };
}

type Place = UnixSocket | { readonly hostname: string; readonly port: number };

function checkedPlace(action: string, options: AuthServerOptions): Place {
  const { path, mode, group, hostname, port } = options;
  if ((path === undefined) === (port === undefined)) {
    throw new TypeError(`Cannot ${action}: either path or port must be given`);
  }
  if (path !== undefined) {
    if (hostname === undefined) {
      return checkedUnixSocket(action, path, mode, group);
    }
    throw new TypeError(`Cannot ${action}: hostname needs port`);
  }
  if (mode !== undefined || group !== undefined) {
    throw new TypeError(`Cannot ${action}: mode and group need path`);
  }
  return {
    hostname: hostname ?? "127.0.0.1",
    port: within(action, "port", port ?? 0, 0, 65_535),
  };
}

/** A socket that accepts connections. */
interface Bound {
  readonly accept: () => Promise<Wire>;
  /** Accepts no more, and takes away the socket file if there is one. */
  readonly close: () => void;
  readonly address: AuthServerAddress;
}

async function bind(place: Place): Promise<Bound> {
  if ("path" in place) {
    const { path } = place;
    const { listener, remove } = await listenUnix(place);
    return {
      accept: () => listener.accept(),
      close: () => {
        tryClose(listener);
        remove();
      },
      address: { transport: "unix", path },
    };
  }
  const bound = await listenTcp(place.hostname, place.port);
  const { hostname, port } = bound;
  return { ...bound, address: { transport: "tcp", hostname, port } };
}

async function acceptAll(
  via: AdapterName,
  { accept }: Bound,
  admit: (wire: Wire) => void,
  { report, stop }: AuthServerContext,
): Promise<void> {
  while (!stop.aborted) {
    try {
      admit(await accept());
    } catch (error) {
      if (stop.aborted) return;
      // Out of file descriptors, most likely. They come back with the clients.
      report({ kind: "acceptFailed", via, error: errorText(error) });
      await pause(ACCEPT_PAUSE_MS, stop);
    }
  }
}

/** All clients of a server. */
interface Clients {
  readonly admit: (wire: Wire) => void;
  /** Closes all connections. */
  readonly cut: () => void;
  /** Resolves once nobody is there. */
  readonly ended: () => Promise<void>;
}

function newClients(
  { name, talk }: AuthServerKind,
  context: AuthServerContext,
  maxConnections: number,
): Clients {
  const served = new Map<Wire, Promise<void>>();
  let full = false;

  async function serve(wire: Wire): Promise<void> {
    try {
      await talk(wire, context);
    } catch (error) {
      // Sockets that break do not come here: this is a fault of ours.
      const reason = "error";
      const text = errorText(error);
      context.report({ kind: "closed", via: name, reason, error: text });
    } finally {
      tryClose(wire);
      served.delete(wire);
    }
  }

  return {
    admit(wire) {
      if (served.size < maxConnections) {
        full = false;
        served.set(wire, serve(wire));
        return;
      }
      // A temporary failure to Postfix and Exim. A flood is one line in the log.
      tryClose(wire);
      const reason = "too-many-connections";
      if (!full) context.report({ kind: "closed", via: name, reason });
      full = true;
    },
    cut() {
      for (const wire of served.keys()) tryClose(wire);
    },
    async ended() {
      while (served.size > 0) await Promise.all(served.values());
    },
  };
}

/** Closes what may be closed already. */
export function tryClose(closable: { close(): void }): void {
  try {
    closable.close();
  } catch {
    // It was.
  }
}

/** Reads; `null` at the end, whether the client or this side has closed. */
export async function readSome(
  wire: Wire,
  into: Uint8Array<ArrayBuffer>,
): Promise<number | null> {
  try {
    return await wire.read(into);
  } catch {
    return null;
  }
}
