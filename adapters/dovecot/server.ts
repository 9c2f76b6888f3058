/**
 * The Dovecot authentication protocol as a server: Postfix and Exim ask it.
 *
 * @module
 */

import {
  type MechanismOffer,
  offeredMechanisms,
  readOffer,
} from "../../auth/sasl/offer.ts";
import type { AuthRequest } from "../../auth/types.ts";
import { type Conn, readSome, tryClose, writeAll } from "../../net/conn.ts";
import { encodeHex } from "../../lib/hex.ts";
import { askInTime } from "../ask.ts";
import {
  type AuthServerContext,
  type AuthServerOptions,
  openAuthServer,
} from "../auth_server.ts";
import type { AuthServer } from "../socket_server.ts";
import {
  type DovecotAction,
  type DovecotSession,
  newDovecotSession,
} from "./session.ts";

/** Where and how {@linkcode serveDovecotAuth} listens. */
export interface DovecotAuthOptions extends AuthServerOptions {
  /**
   * The mechanisms on offer, in their order: names of those that are known
   * here, or values. Offer XOAUTH2 and OAUTHBEARER only where the provider can
   * check tokens. Default: PLAIN and LOGIN.
   */
  readonly mechanisms?: MechanismOffer;
}

/**
 * Serves the Dovecot authentication protocol (version 1.2), so that Postfix, Exim and others ask a provider about their logins.
 *
 * A wrong password is `FAIL`. A temporary failure closes the connection where
 * that is the only thing that the mail server understands (454 in Postfix, 435
 * in Exim), and is `FAIL … code=temp_fail` where many users share a
 * connection. `heloName` is always `""`: the protocol has no field for it.
 *
 * @param options Where to listen, who decides, and the limits.
 * @returns The running server, once its socket is bound.
 * @throws {TypeError} If options do not fit together, such as a path and a
 * port.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} What the system says when a port is taken, or when the path
 * is that of another server's socket or of a file that is no socket.
 *
 * @example Postfix with `smtpd_sasl_path = inet:127.0.0.1:12345`
 * ```ts
 * import { newStaticAuthProvider, serveDovecotAuth } from "@meowmail/smtpauth";
 *
 * await using server = await serveDovecotAuth({
 *   port: 0, // 12345, or better: path: "/var/spool/postfix/private/smtpauth"
 *   provider: newStaticAuthProvider({ ann: "secret" }),
 * });
 * console.log("listening on", server.addrs);
 * ```
 */
export function serveDovecotAuth(
  options: DovecotAuthOptions,
): Promise<AuthServer> {
  const serverId = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  let connections = 0;
  return openAuthServer({
    name: "dovecot",
    action: "serve Dovecot auth",
    rules: { mechanisms: offeredMechanisms },
    talk: (conn, context) => {
      const identity = {
        serverId: serverId >>> 1,
        connectionId: ++connections,
        cookie: newCookie(),
      };
      const session = newDovecotSession(
        identity,
        readOffer(options.mechanisms),
      );
      return talk(conn, context, session);
    },
  }, options);
}

function newCookie(): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(16)));
}

/** Serves one mail server's connection. */
async function talk(
  conn: Conn,
  context: AuthServerContext,
  session: DovecotSession,
): Promise<void> {
  const { report, ends, stop } = context;
  const asking = new Map<number, AbortController>();
  let writing = Promise.resolve();
  let closed = false;

  /** Closes once all that was said is written. */
  function close(): void {
    closed = true;
    writing = writing.then(() => tryClose(conn));
  }

  function closeIfDone(): void {
    if (stop.aborted && asking.size === 0) close();
  }

  function send(text: string): void {
    const octets = new TextEncoder().encode(text);
    writing = writing.then(() => writeAll(conn, octets))
      // Whoever does not read has gone: the read under way finds out.
      .catch(() => tryClose(conn));
  }

  async function ask(id: number, request: AuthRequest): Promise<void> {
    const abort = new AbortController();
    asking.set(id, abort);
    const { signal } = abort;
    const asked = await askInTime(request, { ...context, signal });
    if (asking.get(id) === abort) asking.delete(id);
    report(asked.event);
    if (!signal.aborted) act(session.decided(id, asked.result));
    closeIfDone();
  }

  function act(actions: readonly DovecotAction[]): void {
    let text = "";
    for (const action of actions) {
      switch (action.kind) {
        case "send":
          text += action.text;
          break;
        case "ask":
          ask(action.id, action.request);
          break;
        case "drop":
          asking.get(action.id)?.abort();
          asking.delete(action.id);
          break;
        case "ended":
          report({ ...action.event, id: context.id });
          break;
        case "close":
          if (action.why === undefined) ends("temporary-failure");
          else ends("bad-protocol", action.why);
          break;
        default:
          action satisfies never;
      }
    }
    if (text !== "") send(text);
    if (actions.some(({ kind }) => kind === "close")) close();
  }

  stop.addEventListener("abort", closeIfDone);
  try {
    act(session.open());
    closeIfDone();
    const space = new Uint8Array(4096);
    while (!closed) {
      // A client that does not read is not read from.
      await writing;
      const count = await readSome(conn, space);
      if (count === null) break;
      // No new questions once the server stops: the old ones end it.
      if (!stop.aborted) {
        act(session.receive(space.subarray(0, count), performance.now()));
      }
    }
  } finally {
    stop.removeEventListener("abort", closeIfDone);
    for (const abort of asking.values()) abort.abort();
    await writing;
  }
}
