/**
 * How a listener is told what to do, and what it does not take.
 *
 * @module
 */

import { type Network, parseNetwork } from "../lib/ip.ts";
import {
  aBoolean,
  aFunction,
  aHost,
  aPort,
  aSignal,
  checkOptions,
  integer,
  limitMs,
  networks,
  pauseMs,
  required,
  type Rule,
  type Rules,
  text,
} from "../lib/options.ts";
import { aCertificate, aPrivateKey } from "../lib/pem.ts";
import type { Mechanism } from "../auth/sasl/mechanism.ts";
import {
  type MechanismOffer,
  offeredMechanisms,
  readOffer,
} from "../auth/sasl/offer.ts";
import type { AuthProvider } from "../auth/types.ts";
import type { Certificate } from "../net/tls.ts";
import type { OnRecipient, OnSender } from "./destination.ts";
import type { SmtpEvent } from "./events.ts";

/**
 * Where and how {@linkcode serveSmtp} listens.
 *
 * @category A whole listener
 */
export interface ServeSmtpOptions {
  /** Decides who may send. */
  readonly provider: AuthProvider;
  /** The address to listen on. Default: `127.0.0.1`. */
  readonly hostname?: string;
  /** The port; 0 for any free one. Default: 2525. */
  readonly port?: number;
  /** A second port, for implicit TLS; 0 for any free one. Default: none. */
  readonly tlsPort?: number;
  /**
   * Whether other processes may listen on the same ports: the system gives each a
   * share of the connections. Deno needs `--unstable-net` for it. Default: false.
   */
  readonly reusePort?: boolean;
  /** The certificate chain in PEM: switches STARTTLS on. Default: none. */
  readonly cert?: string;
  /** The private key of the certificate, in PEM. */
  readonly key?: string;
  /** The server's own name, in the greeting. Default: `localhost`. */
  readonly serverName?: string;
  /** Whether nothing may be sent without AUTH. Default: true. */
  readonly requireAuth?: boolean;
  /**
   * Whether AUTH may be used in plain text from other machines. Default:
   * false; then it may be used where the connection stays on the machine and
   * there is no certificate.
   */
  readonly allowInsecureAuth?: boolean;
  /**
   * The mechanisms of AUTH on offer, in their order: names of those that are
   * known here, or values. Offer XOAUTH2 and OAUTHBEARER only where the provider
   * can check tokens. Default: PLAIN and LOGIN.
   */
  readonly mechanisms?: MechanismOffer;
  /** Which failed login of a connection ends it. Default: 3. */
  readonly maxAuthFailures?: number;
  /**
   * Whether each bare CR or LF in a message becomes CRLF, for devices that can
   * do no better, instead of `554 5.6.0`; only CRLF.CRLF ends the message all
   * the same. Default: false.
   */
  readonly normalizeNewlines?: boolean;
  /**
   * The most recipients of a message; the next one is refused with `452
   * 4.5.3`. Default: 100.
   */
  readonly maxRecipients?: number;
  /** The largest message, in octets. Default: 26214400 (25 MiB). */
  readonly maxSize?: number;
  /** How many clients are served at a time. Default: 10000. */
  readonly maxConnections?: number;
  /**
   * How many clients of one network (IPv4 /24, IPv6 /56) are served at a time,
   * and four times as many of an IPv6 /48; the machine itself is not limited.
   * Default: 200.
   */
  readonly maxConnectionsPerNetwork?: number;
  /** How long a client may be silent, in milliseconds. Default: 300000. */
  readonly idleTimeoutMs?: number;
  /**
   * How long a client must wait for the greeting, in milliseconds: one that
   * talks before it is refused with `554 5.5.0`. Default: 0.
   */
  readonly greetingDelayMs?: number;
  /**
   * The networks of proxies, such as `192.0.2.0/24`: every connection must
   * come from there and begin with a header of the PROXY protocol, version 1
   * or 2, which says who the client is. Default: none, and no headers.
   */
  readonly proxyProtocolFrom?: readonly string[];
  /**
   * The networks of clients that may send without a login, such as
   * `192.0.2.0/24`: printers, and programs that cannot do better. Their mail is
   * marked in envelope and events. Default: none.
   */
  readonly trustedNetworks?: readonly string[];
  /**
   * Asked about each sender, before the destination. A reply of 4xx or 5xx
   * refuses the sender; one that throws is `451 4.3.0`. Default: nobody.
   */
  readonly onSender?: OnSender;
  /** Likewise about each recipient. Default: nobody. */
  readonly onRecipient?: OnRecipient;
  /**
   * Ends the listener and all its connections when aborted, also those with a
   * transaction under way: the clients read `421`, and one that does not
   * close then is cut off within three seconds.
   */
  readonly signal?: AbortSignal;
  /** Called for each address that is bound. What it throws is ignored. */
  readonly onListen?: (address: SmtpAddress) => void;
  /** Called with what a log would want to know. What it throws is ignored. */
  readonly onEvent?: (event: SmtpEvent) => void;
}

/**
 * An address that a listener is bound to.
 *
 * @category A whole listener
 */
export interface SmtpAddress {
  /** The kind of socket. */
  readonly transport: "tcp";
  /** The IP address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
  /** Whether connections begin with a TLS handshake. */
  readonly tls: boolean;
}

/** Options with all defaults filled in. */
export interface ListenerSettings {
  readonly provider: AuthProvider;
  readonly hostname: string;
  readonly port: number;
  readonly tlsPort: number | undefined;
  readonly reusePort: boolean;
  readonly certificate: Certificate | undefined;
  readonly serverName: string;
  readonly requireAuth: boolean;
  readonly allowInsecureAuth: boolean;
  readonly mechanisms: readonly Mechanism[];
  readonly maxAuthFailures: number;
  readonly normalizeNewlines: boolean;
  readonly maxRecipients: number;
  readonly maxSize: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerNetwork: number;
  readonly idleTimeoutMs: number;
  readonly greetingDelayMs: number;
  readonly proxies: readonly Network[] | undefined;
  readonly trusted: readonly Network[];
}

/** What is done with the options, in errors. */
export const ACTION = "serve SMTP";

/** A name in the greeting, and in trace lines. */
export const aServerName: Rule = text("a host name", isServerName);

const RULES: Rules<ServeSmtpOptions> = {
  provider: required(aFunction),
  hostname: aHost,
  port: aPort,
  tlsPort: aPort,
  reusePort: aBoolean,
  cert: aCertificate,
  key: aPrivateKey,
  serverName: aServerName,
  requireAuth: aBoolean,
  allowInsecureAuth: aBoolean,
  mechanisms: offeredMechanisms,
  maxAuthFailures: integer(1),
  normalizeNewlines: aBoolean,
  maxRecipients: integer(1),
  maxSize: integer(1),
  maxConnections: integer(1),
  maxConnectionsPerNetwork: integer(1),
  idleTimeoutMs: limitMs(),
  greetingDelayMs: pauseMs(),
  proxyProtocolFrom: networks,
  trustedNetworks: networks,
  signal: aSignal,
  onSender: aFunction,
  onRecipient: aFunction,
  onListen: aFunction,
  onEvent: aFunction,
};

/** Fills in the defaults, or throws at what makes no sense. */
export function checkedOptions(options: ServeSmtpOptions): ListenerSettings {
  checkOptions(ACTION, options, RULES);
  const certificate = certificateOf(options);
  if (options.tlsPort !== undefined && certificate === undefined) {
    throw new TypeError(`Cannot ${ACTION}: tlsPort needs cert and key`);
  }
  return {
    provider: options.provider,
    hostname: options.hostname ?? "127.0.0.1",
    port: options.port ?? 2525,
    tlsPort: options.tlsPort,
    reusePort: options.reusePort ?? false,
    certificate,
    serverName: options.serverName ?? "localhost",
    requireAuth: options.requireAuth ?? true,
    allowInsecureAuth: options.allowInsecureAuth ?? false,
    mechanisms: readOffer(options.mechanisms),
    maxAuthFailures: options.maxAuthFailures ?? 3,
    normalizeNewlines: options.normalizeNewlines ?? false,
    maxRecipients: options.maxRecipients ?? 100,
    maxSize: options.maxSize ?? 26_214_400,
    maxConnections: options.maxConnections ?? 10_000,
    maxConnectionsPerNetwork: options.maxConnectionsPerNetwork ?? 200,
    idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    greetingDelayMs: options.greetingDelayMs ?? 0,
    proxies: options.proxyProtocolFrom?.flatMap((text) =>
      parseNetwork(text) ?? []
    ),
    trusted: (options.trustedNetworks ?? []).flatMap((text) =>
      parseNetwork(text) ?? []
    ),
  };
}

function certificateOf(
  { cert, key }: ServeSmtpOptions,
): Certificate | undefined {
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return undefined;
  throw new TypeError(`Cannot ${ACTION}: cert and key must come together`);
}

/**
 * Whether a name can stand in replies, headers and file names without changing
 * their meaning.
 */
export function isServerName(name: string): boolean {
  return /^[A-Za-z0-9._:[\]-]{1,255}$/.test(name);
}
