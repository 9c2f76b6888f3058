/**
 * The table of flags: what reads them, what explains them and what they become
 * agree, because all of it is in one row.
 *
 * @module
 */

import type { Settings } from "./settings.ts";
import {
  credential,
  type Given,
  hostName,
  ipPort,
  milliseconds,
  networks,
  nextHop,
  octalMode,
  offOr,
  oneOf,
  onOff,
  portNumber,
  serverName,
  socketAddress,
  text,
  token,
  tokenEndpoint,
  url,
  whole,
} from "./values.ts";

/** The headings of the help. */
export type Group =
  | "Listen"
  | "Encrypt"
  | "Authenticate"
  | "Let other servers ask"
  | "Deliver"
  | "Tell";

/** One row: a setting that is read into a `T`. */
export interface Flag<T> {
  /** Under which heading the help has it. */
  readonly group: Group;
  /** What stands for the value in the help; a switch has none. */
  readonly placeholder?: string;
  /**
   * Only a variable, no flag: what stands on the command line shows in `ps`.
   * What it holds is repeated nowhere.
   */
  readonly secret?: true;
  /** What it is, in a few words. */
  readonly help: string;
  /** Reads a value, or throws a `UsageError` that says what is accepted. */
  readonly read: (given: Given) => T;
  /** What holds where nothing is given; `true` or `false` makes it a switch. */
  readonly byDefault: T;
  /** How the default is written, where it is not the value itself. */
  readonly defaultText?: string;
}

/** The name of a setting. */
export type FlagName = keyof Settings;

/** All settings, in the order of the help. */
export const FLAGS: { readonly [N in FlagName]: Flag<Settings[N]> } = {
  host: {
    group: "Listen",
    placeholder: "ADDRESS",
    help: "address to listen on",
    read: hostName,
    byDefault: "127.0.0.1",
  },
  port: {
    group: "Listen",
    placeholder: "PORT",
    help: "port; 0: any free one; off: only adapters",
    read: offOr(portNumber),
    byDefault: 2525,
  },
  hostname: {
    group: "Listen",
    placeholder: "NAME",
    help: "name in the greeting",
    read: serverName,
    byDefault: undefined,
    defaultText: "the machine's",
  },
  maxConnections: {
    group: "Listen",
    placeholder: "N",
    help: "clients served at a time",
    read: whole(1),
    byDefault: 10_000,
  },
  maxConnectionsPerNetwork: {
    group: "Listen",
    placeholder: "N",
    help: "clients of one network (/24, /56) at a time",
    read: whole(1),
    byDefault: 200,
  },
  idleTimeout: {
    group: "Listen",
    placeholder: "MS",
    help: "how long a client may be silent",
    read: milliseconds(1),
    byDefault: 300_000,
  },
  greetingDelay: {
    group: "Listen",
    placeholder: "MS",
    help: "greet later, and refuse who does not wait",
    read: milliseconds(0),
    byDefault: 0,
  },
  proxyProtocol: {
    group: "Listen",
    help: "clients come through a proxy that says so",
    read: onOff,
    byDefault: false,
  },
  proxyProtocolFrom: {
    group: "Listen",
    placeholder: "NETWORKS",
    help: "networks of that proxy",
    read: networks,
    byDefault: ["127.0.0.0/8", "::1"],
    defaultText: "127.0.0.0/8,::1",
  },
  tlsCert: {
    group: "Encrypt",
    placeholder: "FILE",
    help: "certificate chain in PEM; switches STARTTLS on",
    read: text,
    byDefault: undefined,
  },
  tlsKey: {
    group: "Encrypt",
    placeholder: "FILE",
    help: "its private key in PEM",
    read: text,
    byDefault: undefined,
  },
  tlsPort: {
    group: "Encrypt",
    placeholder: "PORT",
    help: "second port, with TLS from the start",
    read: offOr(portNumber),
    byDefault: undefined,
    defaultText: "off",
  },
  authUrl: {
    group: "Authenticate",
    placeholder: "URL",
    help: "endpoint that is asked about each login",
    read: url("AUTH_TOKEN"),
    byDefault: undefined,
  },
  authToken: {
    group: "Authenticate",
    secret: true,
    help: "bearer token for the endpoint",
    read: token,
    byDefault: undefined,
  },
  authCa: {
    group: "Authenticate",
    placeholder: "FILE",
    help: "its private authority's certificate in PEM",
    read: text,
    byDefault: undefined,
  },
  authDovecot: {
    group: "Authenticate",
    placeholder: "PLACE",
    help: "or a Dovecot server: path or host:port",
    read: socketAddress,
    byDefault: undefined,
  },
  authTimeout: {
    group: "Authenticate",
    placeholder: "MS",
    help: "how long the endpoint may take",
    read: milliseconds(1),
    byDefault: 1200,
  },
  authConcurrency: {
    group: "Authenticate",
    placeholder: "N",
    help: "requests to either at a time",
    read: whole(1),
    byDefault: 1000,
  },
  authCache: {
    group: "Authenticate",
    placeholder: "MS",
    help: "accepted logins pass unasked for so long",
    read: milliseconds(0),
    byDefault: 0,
  },
  authGrace: {
    group: "Authenticate",
    placeholder: "MS",
    help: "and so much longer if it fails",
    read: milliseconds(0),
    byDefault: 0,
  },
  users: {
    group: "Authenticate",
    placeholder: "FILE",
    help: "users with hashed passwords, as htpasswd has",
    read: text,
    byDefault: undefined,
  },
  user: {
    group: "Authenticate",
    secret: true,
    help: "one local user; others are asked about",
    read: credential,
    byDefault: undefined,
  },
  pass: {
    group: "Authenticate",
    secret: true,
    help: "that user's password",
    read: credential,
    byDefault: undefined,
  },
  requireAuth: {
    group: "Authenticate",
    help: "refuse mail without a login",
    read: onOff,
    byDefault: true,
  },
  allowInsecureAuth: {
    group: "Authenticate",
    help: "passwords may travel in plain text",
    read: onOff,
    byDefault: false,
  },
  maxAuthFailures: {
    group: "Authenticate",
    placeholder: "N",
    help: "wrong logins until a connection is closed",
    read: whole(1),
    byDefault: 3,
  },
  throttle: {
    group: "Authenticate",
    help: "slow password guessing down",
    read: onOff,
    byDefault: true,
  },
  dovecotSocket: {
    group: "Let other servers ask",
    placeholder: "PLACE",
    help: "path or host:port; Postfix and Exim ask here",
    read: socketAddress,
    byDefault: undefined,
  },
  saslauthdSocket: {
    group: "Let other servers ask",
    placeholder: "PLACE",
    help: "path or host:port; Cyrus SASL asks here",
    read: socketAddress,
    byDefault: undefined,
  },
  socketMode: {
    group: "Let other servers ask",
    placeholder: "OCTAL",
    help: "permissions of these sockets",
    read: octalMode,
    byDefault: undefined,
    defaultText: "660",
  },
  socketGroup: {
    group: "Let other servers ask",
    placeholder: "GROUP",
    help: "group of these sockets",
    read: text,
    byDefault: undefined,
    defaultText: "the process's",
  },
  nginxPort: {
    group: "Let other servers ask",
    placeholder: "PORT",
    help: "nginx asks here (auth_http), on 127.0.0.1",
    read: offOr(portNumber),
    byDefault: undefined,
  },
  nginxUpstream: {
    group: "Let other servers ask",
    placeholder: "IP:PORT",
    help: "where nginx takes clients then",
    read: ipPort,
    byDefault: undefined,
  },
  nginxSecret: {
    group: "Let other servers ask",
    secret: true,
    help: "what nginx must send as X-Auth-Key",
    read: token,
    byDefault: undefined,
  },
  maildir: {
    group: "Deliver",
    placeholder: "FOLDER",
    help: "where messages are kept",
    read: text,
    byDefault: "./maildir",
  },
  deliverUrl: {
    group: "Deliver",
    placeholder: "URL",
    help: "or an endpoint that is handed each message",
    read: url("DELIVER_TOKEN"),
    byDefault: undefined,
  },
  deliverToken: {
    group: "Deliver",
    secret: true,
    help: "bearer token for that endpoint",
    read: token,
    byDefault: undefined,
  },
  deliverTimeout: {
    group: "Deliver",
    placeholder: "MS",
    help: "how long that endpoint may do nothing",
    read: milliseconds(1),
    byDefault: 30_000,
  },
  relay: {
    group: "Deliver",
    placeholder: "URL",
    help: "or a next hop: smtps, starttls or smtp://host",
    read: nextHop,
    byDefault: undefined,
  },
  relayUser: {
    group: "Deliver",
    secret: true,
    help: "who we are there",
    read: credential,
    byDefault: undefined,
  },
  relayPass: {
    group: "Deliver",
    secret: true,
    help: "the password there",
    read: credential,
    byDefault: undefined,
  },
  relayOauthTokenUrl: {
    group: "Deliver",
    placeholder: "URL",
    help: "or a token from URL or microsoft:TENANT",
    read: tokenEndpoint,
    byDefault: undefined,
  },
  relayOauthScope: {
    group: "Deliver",
    placeholder: "SCOPE",
    help: "what that token is for",
    read: text,
    byDefault: undefined,
  },
  relayOauthClientId: {
    group: "Deliver",
    secret: true,
    help: "the application that asks for it",
    read: credential,
    byDefault: undefined,
  },
  relayOauthClientSecret: {
    group: "Deliver",
    secret: true,
    help: "that application's secret",
    read: credential,
    byDefault: undefined,
  },
  relayCa: {
    group: "Deliver",
    placeholder: "FILE",
    help: "its private authority's certificate in PEM",
    read: text,
    byDefault: undefined,
  },
  relayMaxConnections: {
    group: "Deliver",
    placeholder: "N",
    help: "connections to the next hop at a time",
    read: whole(1),
    byDefault: 20,
  },
  maxRecipients: {
    group: "Deliver",
    placeholder: "N",
    help: "recipients of a message; refuse the next",
    read: whole(1),
    byDefault: 100,
  },
  maxSize: {
    group: "Deliver",
    placeholder: "BYTES",
    help: "largest message",
    read: whole(1),
    byDefault: 26_214_400,
  },
  normalizeNewlines: {
    group: "Deliver",
    help: "make bare CRs and LFs of a message CRLFs",
    read: onOff,
    byDefault: false,
  },
  log: {
    group: "Tell",
    placeholder: "FORMAT",
    help: "text or json",
    read: oneOf("text", "json"),
    byDefault: undefined,
    defaultText: "text on a terminal, else json",
  },
};

/** All names, in the order of the table. */
export const FLAG_NAMES: readonly FlagName[] = Object.keys(FLAGS)
  .filter((name): name is FlagName => Object.hasOwn(FLAGS, name));

/** The flag of a setting: `--max-size`. A secret has none. */
export function flagOf(name: FlagName): string | undefined {
  if (FLAGS[name].secret) return undefined;
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter}`)}`
    .toLowerCase();
}

/** What the names of all variables begin with. */
export const PREFIX = "MEOWMAIL_SMTP_";

/** The variable of a setting: `MEOWMAIL_SMTP_MAX_SIZE`. */
export function variableOf(name: FlagName): string {
  return PREFIX +
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Whether a setting is a switch: on or off, `--name` or `--no-name`. */
export function isSwitch(name: FlagName): boolean {
  return typeof FLAGS[name].byDefault === "boolean";
}

/** The default in words; absent where there is none. */
export function defaultOf(name: FlagName): string | undefined {
  const { byDefault, defaultText } = FLAGS[name];
  if (defaultText !== undefined || byDefault === undefined) return defaultText;
  if (typeof byDefault === "boolean") return byDefault ? "on" : "off";
  return String(byDefault);
}
