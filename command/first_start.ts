/**
 * The very first start, with nothing configured: a login is made up, and one
 * line to paste shows the whole way.
 *
 * @module
 */

import { hostPort } from "../lib/addresses.ts";
import type { SmtpAddress } from "../smtp/options.ts";

/** A login for one run. */
export interface Login {
  /** The user name. */
  readonly username: string;
  /** The password. */
  readonly password: string;
}

/** Makes a login up: 100 random bits, in characters that no shell minds. */
export function makeUpLogin(): Login {
  const octets = crypto.getRandomValues(new Uint8Array(20));
  const password = [...octets].map((octet) => ALPHABET[octet % 32]).join("");
  return { username: "demo", password };
}

/** No 0, 1, l or o: somebody may have to type it. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

/**
 * What the first start prints.
 *
 * @param login The login that was made up.
 * @param address Where the listener listens.
 * @param startTls Whether it has a certificate, and so wants STARTTLS.
 * @param where Where the message will be.
 */
export function firstMessageHint(
  login: Login,
  address: SmtpAddress,
  startTls: boolean,
  where: string,
): string {
  const { username, password } = login;
  const host = hostPort(reachable(address.hostname), address.port);
  // Nobody knows the certificate of a first try.
  const tls = startTls ? " --ssl-reqd --insecure" : "";
  return `No endpoint and no user is configured: this login is for this run only.

user: ${username}
password: ${password}

Paste this into another terminal to send a first message to ${where}:

curl${tls} smtp://${host} --user '${username}:${password}' --mail-from you@example.com --mail-rcpt you@example.com -H 'Subject: Hello' -F '=It works.'

`;
}

/** An address to connect to, for one to listen on. */
function reachable(hostname: string): string {
  if (hostname === "0.0.0.0") return "127.0.0.1";
  return hostname === "::" ? "::1" : hostname;
}
