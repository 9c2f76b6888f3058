/**
 * The flags and environment variables of the command, in one table: what reads
 * them and what explains them agree.
 *
 * @module
 */

/** One setting of the command. */
export interface Flag {
  /** Its name on the command line, without `--`; absent if it has none. */
  readonly flag?: string;
  /** Its name in the environment. */
  readonly env: string;
  /** What it takes: a text, or nothing because it is a switch. */
  readonly takes: "text" | "switch";
  /** What stands for the value in the help. */
  readonly placeholder?: string;
  /** What it does, for the help. */
  readonly help: string;
  /** Its default, for the help; absent if there is none. */
  readonly byDefault?: string;
}

/** The names of the settings. */
export type FlagName =
  | "host"
  | "port"
  | "hostname"
  | "tlsPort"
  | "tlsCert"
  | "tlsKey"
  | "authUrl"
  | "authToken"
  | "authDovecot"
  | "authTimeout"
  | "authCache"
  | "authGrace"
  | "authConcurrency"
  | "user"
  | "pass"
  | "throttle"
  | "requireAuth"
  | "allowInsecureAuth"
  | "maxAuthFailures"
  | "dovecotSocket"
  | "saslauthdSocket"
  | "socketMode"
  | "socketGroup"
  | "nginxPort"
  | "nginxUpstream"
  | "nginxSecret"
  | "maildir"
  | "maxSize"
  | "maxConnections"
  | "maxConnectionsPerNetwork"
  | "idleTimeout"
  | "greetingDelay"
  | "proxyProtocol"
  | "proxyProtocolFrom"
  | "log";

/** All settings, in the order of the help. */
export const FLAGS: Readonly<Record<FlagName, Flag>> = {
  host: {
    flag: "host",
    env: "MEOWMAIL_SMTP_HOST",
    takes: "text",
    placeholder: "ADDRESS",
    help: "address to listen on",
    byDefault: "127.0.0.1",
  },
  port: {
    flag: "port",
    env: "MEOWMAIL_SMTP_PORT",
    takes: "text",
    placeholder: "PORT",
    help: "port to listen on; 0 for any free one",
    byDefault: "2525",
  },
  hostname: {
    flag: "hostname",
    env: "MEOWMAIL_SMTP_HOSTNAME",
    takes: "text",
    placeholder: "NAME",
    help: "name in the greeting",
    byDefault: "the machine's",
  },
  tlsPort: {
    flag: "tls-port",
    env: "MEOWMAIL_SMTP_TLS_PORT",
    takes: "text",
    placeholder: "PORT",
    help: "second port, with TLS from the start",
    byDefault: "off",
  },
  tlsCert: {
    flag: "tls-cert",
    env: "MEOWMAIL_SMTP_TLS_CERT",
    takes: "text",
    placeholder: "FILE",
    help: "certificate chain in PEM; switches STARTTLS on",
  },
  tlsKey: {
    flag: "tls-key",
    env: "MEOWMAIL_SMTP_TLS_KEY",
    takes: "text",
    placeholder: "FILE",
    help: "its private key in PEM",
  },
  authUrl: {
    flag: "auth-url",
    env: "MEOWMAIL_SMTP_AUTH_URL",
    takes: "text",
    placeholder: "URL",
    help: "endpoint that is asked about each login",
  },
  authToken: {
    env: "MEOWMAIL_SMTP_AUTH_TOKEN",
    takes: "text",
    help: "bearer token for the endpoint",
  },
  authDovecot: {
    flag: "auth-dovecot",
    env: "MEOWMAIL_SMTP_AUTH_DOVECOT",
    takes: "text",
    placeholder: "PLACE",
    help: "or a Dovecot server: path or host:port",
  },
  authTimeout: {
    flag: "auth-timeout",
    env: "MEOWMAIL_SMTP_AUTH_TIMEOUT",
    takes: "text",
    placeholder: "MS",
    help: "how long the endpoint may take",
    byDefault: "1200",
  },
  authCache: {
    flag: "auth-cache",
    env: "MEOWMAIL_SMTP_AUTH_CACHE",
    takes: "text",
    placeholder: "MS",
    help: "accepted logins pass unasked for so long",
    byDefault: "0",
  },
  authGrace: {
    flag: "auth-grace",
    env: "MEOWMAIL_SMTP_AUTH_GRACE",
    takes: "text",
    placeholder: "MS",
    help: "and so much longer if it fails",
    byDefault: "0",
  },
  authConcurrency: {
    flag: "auth-concurrency",
    env: "MEOWMAIL_SMTP_AUTH_CONCURRENCY",
    takes: "text",
    placeholder: "N",
    help: "requests to it at a time",
    byDefault: "1000",
  },
  throttle: {
    flag: "throttle",
    env: "MEOWMAIL_SMTP_THROTTLE",
    takes: "switch",
    help: "slow password guessing down",
    byDefault: "on",
  },
  user: {
    env: "MEOWMAIL_SMTP_USER",
    takes: "text",
    help: "one local user, instead of an endpoint",
  },
  pass: {
    env: "MEOWMAIL_SMTP_PASS",
    takes: "text",
    help: "that user's password",
  },
  requireAuth: {
    flag: "require-auth",
    env: "MEOWMAIL_SMTP_REQUIRE_AUTH",
    takes: "switch",
    help: "refuse mail without a login",
    byDefault: "on",
  },
  allowInsecureAuth: {
    flag: "allow-insecure-auth",
    env: "MEOWMAIL_SMTP_ALLOW_INSECURE_AUTH",
    takes: "switch",
    help: "passwords may travel in plain text",
    byDefault: "off",
  },
  maxAuthFailures: {
    flag: "max-auth-failures",
    env: "MEOWMAIL_SMTP_MAX_AUTH_FAILURES",
    takes: "text",
    placeholder: "N",
    help: "wrong logins until a connection is closed",
    byDefault: "3",
  },
  dovecotSocket: {
    flag: "dovecot-socket",
    env: "MEOWMAIL_SMTP_DOVECOT_SOCKET",
    takes: "text",
    placeholder: "PLACE",
    help: "path or host:port; Postfix and Exim ask here",
  },
  saslauthdSocket: {
    flag: "saslauthd-socket",
    env: "MEOWMAIL_SMTP_SASLAUTHD_SOCKET",
    takes: "text",
    placeholder: "PATH",
    help: "Cyrus SASL asks here",
  },
  socketMode: {
    flag: "socket-mode",
    env: "MEOWMAIL_SMTP_SOCKET_MODE",
    takes: "text",
    placeholder: "OCTAL",
    help: "permissions of these sockets",
    byDefault: "660",
  },
  socketGroup: {
    flag: "socket-group",
    env: "MEOWMAIL_SMTP_SOCKET_GROUP",
    takes: "text",
    placeholder: "GROUP",
    help: "group of these sockets",
    byDefault: "the process's",
  },
  nginxPort: {
    flag: "nginx-port",
    env: "MEOWMAIL_SMTP_NGINX_PORT",
    takes: "text",
    placeholder: "PORT",
    help: "nginx asks here (auth_http), on 127.0.0.1",
  },
  nginxUpstream: {
    flag: "nginx-upstream",
    env: "MEOWMAIL_SMTP_NGINX_UPSTREAM",
    takes: "text",
    placeholder: "IP:PORT",
    help: "where nginx takes clients then",
  },
  nginxSecret: {
    env: "MEOWMAIL_SMTP_NGINX_SECRET",
    takes: "text",
    help: "what nginx must send as X-Auth-Key",
  },
  maildir: {
    flag: "maildir",
    env: "MEOWMAIL_SMTP_MAILDIR",
    takes: "text",
    placeholder: "FOLDER",
    help: "where messages are kept",
    byDefault: "./maildir",
  },
  maxSize: {
    flag: "max-size",
    env: "MEOWMAIL_SMTP_MAX_SIZE",
    takes: "text",
    placeholder: "BYTES",
    help: "largest message",
    byDefault: "26214400",
  },
  maxConnections: {
    flag: "max-connections",
    env: "MEOWMAIL_SMTP_MAX_CONNECTIONS",
    takes: "text",
    placeholder: "N",
    help: "clients served at a time",
    byDefault: "10000",
  },
  maxConnectionsPerNetwork: {
    flag: "max-connections-per-network",
    env: "MEOWMAIL_SMTP_MAX_CONNECTIONS_PER_NETWORK",
    takes: "text",
    placeholder: "N",
    help: "clients of one network at a time",
    byDefault: "200",
  },
  greetingDelay: {
    flag: "greeting-delay",
    env: "MEOWMAIL_SMTP_GREETING_DELAY",
    takes: "text",
    placeholder: "MS",
    help: "greet later, and refuse who does not wait",
    byDefault: "0",
  },
  proxyProtocol: {
    flag: "proxy-protocol",
    env: "MEOWMAIL_SMTP_PROXY_PROTOCOL",
    takes: "switch",
    help: "clients come through a proxy that says so",
    byDefault: "off",
  },
  proxyProtocolFrom: {
    flag: "proxy-protocol-from",
    env: "MEOWMAIL_SMTP_PROXY_PROTOCOL_FROM",
    takes: "text",
    placeholder: "NETWORKS",
    help: "networks of that proxy",
    byDefault: "127.0.0.0/8,::1",
  },
  idleTimeout: {
    flag: "idle-timeout",
    env: "MEOWMAIL_SMTP_IDLE_TIMEOUT",
    takes: "text",
    placeholder: "MS",
    help: "how long a client may be silent",
    byDefault: "300000",
  },
  log: {
    flag: "log",
    env: "MEOWMAIL_SMTP_LOG",
    takes: "text",
    placeholder: "FORMAT",
    help: "text or json",
    byDefault: "text on a terminal, else json",
  },
};
