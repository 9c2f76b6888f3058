/**
 * What the command is to do: one member per row of the table of flags.
 *
 * @module
 */

import type { HostPort, SocketAddress } from "../net/address.ts";

/**
 * What the command is to do. A flag's name and its variable's follow from the
 * member's: `maxSize` is `--max-size` and `MEOWMAIL_SMTP_MAX_SIZE`.
 */
export interface Settings {
  readonly host: string;
  /** Absent: no listener, only adapters. */
  readonly port: number | undefined;
  /** The name in the greeting; absent for the machine's own. */
  readonly hostname: string | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerNetwork: number;
  /** Milliseconds. */
  readonly idleTimeout: number;
  /** Milliseconds. */
  readonly greetingDelay: number;
  readonly proxyProtocol: boolean;
  readonly proxyProtocolFrom: readonly string[];

  /** The path of a PEM file. */
  readonly tlsCert: string | undefined;
  /** The path of a PEM file. */
  readonly tlsKey: string | undefined;
  readonly tlsPort: number | undefined;

  readonly authUrl: string | undefined;
  readonly authToken: string | undefined;
  /** The path of a PEM file. */
  readonly authCa: string | undefined;
  readonly authDovecot: SocketAddress | undefined;
  /** The path of a users file. */
  readonly users: string | undefined;
  /** Milliseconds. */
  readonly authTimeout: number;
  readonly authConcurrency: number;
  /** Milliseconds for which an accepted login passes unasked; 0: not at all. */
  readonly authCache: number;
  /** Milliseconds more while the endpoint fails; 0: not at all. */
  readonly authGrace: number;
  readonly user: string | undefined;
  readonly pass: string | undefined;
  readonly requireAuth: boolean;
  readonly allowInsecureAuth: boolean;
  readonly maxAuthFailures: number;
  readonly throttle: boolean;

  readonly dovecotSocket: SocketAddress | undefined;
  readonly saslauthdSocket: SocketAddress | undefined;
  /** Permission bits; absent for the adapters' own default. */
  readonly socketMode: number | undefined;
  readonly socketGroup: string | undefined;
  readonly nginxPort: number | undefined;
  /** Where nginx takes clients: an IP address and a port. */
  readonly nginxUpstream: HostPort | undefined;
  readonly nginxSecret: string | undefined;

  /** The path of the folder. */
  readonly maildir: string;
  readonly deliverUrl: string | undefined;
  readonly deliverToken: string | undefined;
  /** Milliseconds. */
  readonly deliverTimeout: number;
  readonly relay: string | undefined;
  readonly relayUser: string | undefined;
  readonly relayPass: string | undefined;
  readonly relayOauthTokenUrl: string | undefined;
  readonly relayOauthScope: string | undefined;
  readonly relayOauthClientId: string | undefined;
  readonly relayOauthClientSecret: string | undefined;
  /** The path of a file. */
  readonly relayCa: string | undefined;
  readonly relayMaxConnections: number;
  readonly maxRecipients: number;
  /** Octets. */
  readonly maxSize: number;
  readonly normalizeNewlines: boolean;

  /** Absent: `text` on a terminal, else `json`. */
  readonly log: "text" | "json" | undefined;
}
