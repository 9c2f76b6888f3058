/**
 * What the adapters with a socket of their own have in common: where they
 * listen, how many connections they serve, and how they stop.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import { harmless } from "../lib/hook.ts";
import {
  aFunction,
  aHost,
  aPort,
  aSignal,
  checkOptions,
  integer,
  type Rule,
  type Rules,
} from "../lib/options.ts";
import { acceptAll } from "../net/accept.ts";
import { type Conn, tryClose } from "../net/conn.ts";
import {
  addressOf,
  type HostPort,
  type SocketAddress,
} from "../net/address.ts";
import { listen } from "../net/listen.ts";
import { newServer } from "../net/server.ts";
import {
  aSocketGroup,
  aSocketMode,
  aSocketPath,
  DEFAULT_SOCKET_MODE,
  type UnixSocket,
} from "../net/unix_socket.ts";
import type { ClosedReason, ServerEvent } from "../auth/events.ts";
import { newConnectionId } from "../lib/connection_id.ts";
import type { AdapterName } from "./ask.ts";

/**
 * Where and how an adapter with a socket of its own listens.
 *
 * @category Other mail servers
 */
export interface SocketServerOptions {
  /**
   * The path of a unix socket, the recommended form: only those who may
   * open the file can ask. One that a dead server has left is replaced, one
   * that is served is not. Default: none, and then there must be a `port`.
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
  /** How many connections are served at a time. Default: 1000. */
  readonly maxConnections?: number;
  /** Ends the server and all its connections at once when aborted. */
  readonly signal?: AbortSignal;
  /** Called once the socket is bound. What it throws is ignored. */
  readonly onListen?: (address: AuthServerAddress) => void;
  /** Called with what a log would want to know. What it throws is ignored. */
  readonly onEvent?: (event: ServerEvent) => void;
}

/**
 * Where a server is.
 *
 * @category Other mail servers
 */
export type AuthServerAddress = AuthServerUnixAddress | AuthServerTcpAddress;

/**
 * A unix socket.
 *
 * @category Other mail servers
 */
export interface AuthServerUnixAddress {
  /** The kind of socket. */
  readonly transport: "unix";
  /** The path of the socket file. */
  readonly path: string;
}

/**
 * A TCP port.
 *
 * @category Other mail servers
 */
export interface AuthServerTcpAddress {
  /** The kind of socket. */
  readonly transport: "tcp";
  /** The IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/**
 * A running adapter with a socket of its own.
 *
 * @category Other mail servers
 */
export interface AuthServer extends AsyncDisposable {
  /** The address that it is bound to. */
  readonly addrs: readonly AuthServerAddress[];
  /** Resolves when the server and all its connections are closed. */
  readonly finished: Promise<void>;
  /**
   * Stops in good order: no new connections and no new questions, nine seconds
   * for those under way. The socket file is taken away.
   *
   * @returns A promise for the end, the same as `finished`.
   */
  shutdown(): Promise<void>;
}

/** What a server is: its name, what it does, and how it talks to one client. */
export interface SocketServerKind {
  readonly name: AdapterName;
  /** In error texts: `serve Dovecot auth`. */
  readonly action: string;
  /** The rules for options of its own, if it has any. */
  readonly rules?: Readonly<Record<string, Rule>>;
  /** Serves one connection until it is over. It is closed behind it. */
  readonly talk: (conn: Conn, context: SocketContext) => Promise<void>;
}

/** What a connection is told. */
export interface SocketContext extends SharedContext {
  /** The connection's id. */
  readonly id: string;
  /** Says why the connection ends, where it is not that the client has gone. */
  readonly ends: (reason: ClosedReason, error?: string) => void;
}

/** What all connections of a server share. */
interface SharedContext {
  /** Which adapter it is. */
  readonly via: AdapterName;
  readonly report: (event: ServerEvent) => void;
  /** Aborted when nothing new may begin. */
  readonly stop: AbortSignal;
}

/** Checks the options, binds the socket and serves it. */
export async function openSocketServer(
  kind: SocketServerKind,
  options: SocketServerOptions,
): Promise<AuthServer> {
  checkOptions(kind.action, options, { ...kind.rules, ...RULES });
  const { signal } = options;
  const report = harmless(options.onEvent);
  const stop = new AbortController();
  const via = kind.name;
  const clients = new Clients(
    kind.talk,
    { via, report, stop: stop.signal },
    options.maxConnections ?? 1_000,
  );

  const { accept, close, address } = await listen(socketOf(kind, options));
  const accepting = new AbortController();
  const server = newServer({
    accepted: acceptAll({
      accept,
      admit: (conn) => clients.admit(conn),
      onFailure: (error) =>
        report({ kind: "acceptFailed", via, error: errorText(error) }),
      stop: accepting.signal,
    }),
    close: () => {
      accepting.abort();
      close();
    },
    stop: () => stop.abort(),
    cut: () => {
      stop.abort();
      clients.cut();
    },
    ended: () => clients.ended(),
    signal,
  });
  const bound = publicAddress(address);
  if (!signal?.aborted) harmless(options.onListen)(bound);
  return { addrs: [bound], ...server };
}

const RULES: Rules<SocketServerOptions> = {
  path: aSocketPath,
  mode: aSocketMode,
  group: aSocketGroup,
  port: aPort,
  hostname: aHost,
  maxConnections: integer(1, 1_000_000),
  signal: aSignal,
  onListen: aFunction,
  onEvent: aFunction,
};

/** Where to listen, if the options that say it fit together. */
function socketOf(
  { action }: SocketServerKind,
  options: SocketServerOptions,
): UnixSocket | HostPort {
  const { mode, group } = options;
  const address = addressOf(action, options);
  if ("path" in address) {
    return { ...address, mode: mode ?? DEFAULT_SOCKET_MODE, group };
  }
  if (mode === undefined && group === undefined) return address;
  throw new TypeError(`Cannot ${action}: mode and group need path`);
}

function publicAddress(address: SocketAddress): AuthServerAddress {
  return "path" in address
    ? { transport: "unix", ...address }
    : { transport: "tcp", ...address };
}

/** All clients of a server. */
class Clients {
  readonly #talk: SocketServerKind["talk"];
  readonly #context: SharedContext;
  readonly #most: number;
  readonly #served = new Map<Conn, Promise<void>>();
  /** Whether the last one was turned away. */
  #isFull = false;

  constructor(
    talk: SocketServerKind["talk"],
    context: SharedContext,
    most: number,
  ) {
    this.#talk = talk;
    this.#context = context;
    this.#most = most;
  }

  /** Serves a new one, if there is room. */
  admit(conn: Conn): void {
    if (this.#served.size >= this.#most) return this.#turnAway(conn);
    this.#isFull = false;
    this.#served.set(conn, this.#serve(conn));
  }

  /** Closes all connections. */
  cut(): void {
    for (const conn of this.#served.keys()) tryClose(conn);
  }

  /** Resolves once nobody is there. */
  async ended(): Promise<void> {
    while (this.#served.size > 0) await Promise.all(this.#served.values());
  }

  async #serve(conn: Conn): Promise<void> {
    const { via, report, stop } = this.#context;
    const id = newConnectionId();
    const from = { via, id, remoteIp: "" } as const;
    let isTold = false;
    const ends = (reason: ClosedReason, error?: string) => {
      if (isTold) return;
      isTold = true;
      const why = error === undefined ? { reason } : { reason, error };
      report({ kind: "closed", ...why, ...from });
    };
    report({ kind: "opened", ...from });
    try {
      await this.#talk(conn, { ...this.#context, id, ends });
    } catch (error) {
      // Sockets that break do not come here: this is a fault of ours.
      ends("error", errorText(error));
    } finally {
      tryClose(conn);
      this.#served.delete(conn);
      ends(stop.aborted ? "shutdown" : "client-gone");
    }
  }

  /** A temporary failure to Postfix and Exim. A flood is one line in a log. */
  #turnAway(conn: Conn): void {
    tryClose(conn);
    const { via, report } = this.#context;
    report({
      kind: "closed",
      reason: "too-many-connections",
      ...(this.#isFull ? { again: true } : {}),
      via,
      id: newConnectionId(),
      remoteIp: "",
    });
    this.#isFull = true;
  }
}
