/**
 * What `--help` prints.
 *
 * @module
 */

import {
  defaultOf,
  FLAG_NAMES,
  type FlagName,
  flagOf,
  FLAGS,
  GROUPS,
  isSwitch,
  variableOf,
} from "./flags/table.ts";

/** The help: grouped, with defaults and two examples. At most 80 columns. */
export function helpText(): string {
  return `An SMTP submission server. Your own HTTP endpoint, a users file, an issuer of
tokens or a Dovecot says who may send; mail is kept in a Maildir, or goes to a
next hop or to an endpoint of yours, before the client is told that it has.

Usage: deno run -P main.ts [flags]

${[...GROUPS].map(([title, rows]) => group(title, rows)).join("\n")}
Other:
  --help                     print this
  --version                  print the version
  --hash-password            read a password, print its hash for --users
  --unthrottle NAME          forget a user's counts in the --shared-state
  --check                    try what a start would use, and say what is wrong

Each flag can be given in the environment: --auth-url as
MEOWMAIL_SMTP_AUTH_URL and so on. A flag wins. Switches there are on/off,
true/false, 1/0 or yes/no. A variable with _FILE behind its name names a file:
the value is that file's first line. With no endpoint, no Dovecot server, no
users file, no local user and no issuer of tokens, and only on loopback
addresses, a user and a password are made up for this run and printed.

Examples:
  deno run -P main.ts
      try it: listens on 127.0.0.1:2525, prints a login and a line to paste

  MEOWMAIL_SMTP_AUTH_TOKEN=… deno run -P main.ts --host 0.0.0.0 --port 587 \\
      --auth-url https://intranet.example/may-send \\
      --tls-cert fullchain.pem --tls-key privkey.pem --maildir /var/mail/out
      submission for a company, with STARTTLS
`;
}

function group(title: string, rows: object): string {
  const names = FLAG_NAMES.filter((name) => Object.hasOwn(rows, name));
  return `${title}:\n${names.map(entry).join("")}`;
}

function entry(name: FlagName): string {
  const usage = usageOf(name);
  const byDefault = defaultOf(name);
  const note = byDefault === undefined ? "" : ` (${byDefault})`;
  // A name that is too long for its column has a line of its own.
  const column = usage.length < 26
    ? usage.padEnd(27)
    : `${usage}\n${" ".repeat(29)}`;
  return `  ${column}${FLAGS[name].help}${note}\n`;
}

/** How a setting is given: `--max-size BYTES`, or a variable. */
export function usageOf(name: FlagName): string {
  const flag = flagOf(name);
  if (flag === undefined) return variableOf(name);
  const { placeholder, byDefault } = FLAGS[name];
  if (placeholder !== undefined) return `${flag} ${placeholder}`;
  return isSwitch(name) && byDefault === true
    ? flag.replace("--", "--[no-]")
    : flag;
}
