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
import { encodeHex } from "../../lib/hex.ts";
import { type AuthServerOptions, openAuthServer } from "../auth_server.ts";
import type { AuthServer } from "../socket_server.ts";
import { DovecotConnection } from "./connection.ts";
import { DovecotSession } from "./session.ts";

/**
 * Where and how {@linkcode serveDovecotAuth} listens.
 *
 * @category Other mail servers
 */
export interface DovecotAuthOptions extends AuthServerOptions {
  /**
   * The mechanisms on offer, in their order: names of those that are known
   * here, or values. Offer XOAUTH2 and OAUTHBEARER only where the provider can
   * check tokens. Default: PLAIN and LOGIN.
   */
  readonly mechanisms?: MechanismOffer;
}

/**
 * Serves the Dovecot authentication protocol (version 1.2), so that Postfix, Exim
 * and others ask a provider about their logins.
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
 * @category Other mail servers
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
      const offer = readOffer(options.mechanisms);
      const session = new DovecotSession(identity, offer);
      return new DovecotConnection(conn, context, session).run();
    },
  }, options);
}

function newCookie(): string {
  return encodeHex(crypto.getRandomValues(new Uint8Array(16)));
}
