/**
 * What `--help` prints.
 *
 * @module
 */

import { type Flag, type FlagName, FLAGS } from "./flags.ts";

const GROUPS: readonly (readonly [string, readonly FlagName[]])[] = [
  ["Listen", [
    "host",
    "port",
    "hostname",
    "maxConnections",
    "maxConnectionsPerNetwork",
    "idleTimeout",
    "greetingDelay",
    "proxyProtocol",
    "proxyProtocolFrom",
  ]],
  ["Encrypt", ["tlsCert", "tlsKey", "tlsPort"]],
  ["Authenticate", [
    "authUrl",
    "authToken",
    "authDovecot",
    "authTimeout",
    "authConcurrency",
    "authCache",
    "authGrace",
    "user",
    "pass",
    "requireAuth",
    "allowInsecureAuth",
    "maxAuthFailures",
    "throttle",
  ]],
  ["Let other servers ask", [
    "dovecotSocket",
    "saslauthdSocket",
    "socketMode",
    "socketGroup",
    "nginxPort",
    "nginxUpstream",
    "nginxSecret",
  ]],
  ["Keep", ["maildir", "maxSize"]],
  ["Tell", ["log"]],
];

/** The help: grouped, with defaults and two examples. At most 80 columns. */
export function helpText(): string {
  return `An SMTP submission server that asks your own HTTP endpoint "may this user
send?" and keeps accepted mail in a Maildir.

Usage: deno run -P main.ts [flags]

${GROUPS.map(([title, names]) => group(title, names)).join("\n")}
Other:
  --help                     print this
  --version                  print the version

Each flag can be given in the environment: --auth-url as
MEOWMAIL_SMTP_AUTH_URL and so on. A flag wins. Switches there are on/off,
true/false, 1/0 or yes/no. With neither an endpoint nor a local user, a user
and a password are made up for this run and printed.

Examples:
  deno run -P main.ts
      try it: listens on 127.0.0.1:2525, prints a login and a line to paste

  MEOWMAIL_SMTP_AUTH_TOKEN=… deno run -P main.ts --host 0.0.0.0 --port 587 \\
      --auth-url https://intranet.example/may-send \\
      --tls-cert fullchain.pem --tls-key privkey.pem --maildir /var/mail/out
      submission for a company, with STARTTLS
`;
}

function group(title: string, names: readonly FlagName[]): string {
  return `${title}:\n${names.map((name) => entry(FLAGS[name])).join("")}`;
}

function entry({ flag, env, takes, placeholder, help, byDefault }: Flag) {
  const negation = takes === "switch" && byDefault === "on" ? "[no-]" : "";
  const name = flag === undefined
    ? env
    : `--${negation}${flag}${
      placeholder === undefined ? "" : ` ${placeholder}`
    }`;
  const note = byDefault === undefined ? "" : ` (${byDefault})`;
  // A name that is too long for its column has a line of its own.
  const column = name.length < 26
    ? name.padEnd(27)
    : `${name}\n${" ".repeat(29)}`;
  return `  ${column}${help}${note}\n`;
}
