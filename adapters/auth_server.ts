/**
 * What the adapters have in common that ask a provider.
 *
 * @module
 */

import type { AuthProvider } from "../auth/types.ts";
import { aFunction, required, type Rule } from "../lib/options.ts";
import type { Conn } from "../net/conn.ts";
import { type AskOptions, aTimeout, DEFAULT_TIMEOUT_MS } from "./ask.ts";
import {
  type AuthServer,
  openSocketServer,
  type SocketContext,
  type SocketServerKind,
  type SocketServerOptions,
} from "./socket_server.ts";

/**
 * Where and how a server of an authentication protocol listens.
 *
 * @category Other mail servers
 */
export interface AuthServerOptions extends SocketServerOptions {
  /** Decides who may log in. */
  readonly provider: AuthProvider;
  /**
   * How long the provider may take, in milliseconds; then the answer is a
   * temporary failure. Default: 9000, because Postfix waits for ten seconds.
   */
  readonly timeoutMs?: number;
}

/** What a server is: its name, what it does, and how it talks to one client. */
export interface AuthServerKind extends Omit<SocketServerKind, "talk"> {
  /** Serves one connection until it is over. It is closed behind it. */
  readonly talk: (conn: Conn, context: AuthServerContext) => Promise<void>;
}

/** What a connection is told, and how to ask. */
export interface AuthServerContext
  extends SocketContext, Pick<AskOptions, "provider" | "timeoutMs"> {}

const RULES: Readonly<Record<string, Rule>> = {
  provider: required(aFunction),
  timeoutMs: aTimeout,
};

/** Checks the options, binds the socket and serves it. */
export function openAuthServer(
  kind: AuthServerKind,
  options: AuthServerOptions,
): Promise<AuthServer> {
  const rules = { ...RULES, ...kind.rules };
  const talk = (conn: Conn, context: SocketContext) => {
    const { provider, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    return kind.talk(conn, { ...context, provider, timeoutMs });
  };
  return openSocketServer({ ...kind, rules, talk }, options);
}
