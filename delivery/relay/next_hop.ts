/**
 * Where a relay hands its mail on, as its URL says it.
 *
 * @module
 */

import { bareHost } from "../../lib/addresses.ts";

/** The server that mail is handed on to. */
export interface NextHop {
  /**
   * `tls`: from the first octet (RFC 8314 section 3.3). `starttls`: by STARTTLS
   * or not at all. `offered`: by STARTTLS where the server offers it.
   */
  readonly security: "tls" | "starttls" | "offered";
  /** Its name, or its address without brackets. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
}

/** What each scheme means, and the port of it: RFC 8314, 6409 and 5321. */
const SCHEMES: ReadonlyMap<
  string,
  { readonly security: NextHop["security"]; readonly port: number }
> = new Map([
  ["smtps:", { security: "tls", port: 465 }],
  ["starttls:", { security: "starttls", port: 587 }],
  ["smtp:", { security: "offered", port: 25 }],
]);

/**
 * Reads `smtps://host[:465]`, `starttls://host[:587]` or `smtp://host[:25]`.
 *
 * @throws {TypeError} If it is none of them, or has a user name or a password
 * in it. The error does not repeat the URL: it may have a password in it.
 */
export function parseNextHop(url: string | URL): NextHop {
  const parsed = URL.parse(String(url));
  const scheme = SCHEMES.get(parsed?.protocol ?? "");
  if (parsed === null || scheme === undefined || !isHost(parsed.hostname)) {
    throw unusable(
      "url must be smtps://host, starttls://host or smtp://host, with or without :port",
    );
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw unusable("url must not have credentials in it");
  }
  const rest = parsed.pathname + parsed.search + parsed.hash;
  if (rest !== "" && rest !== "/") {
    throw unusable("url must end behind the host and port");
  }
  if (parsed.port === "0") throw unusable("url must have a port above 0");
  return {
    security: scheme.security,
    hostname: bareHost(parsed.hostname),
    port: parsed.port === "" ? scheme.port : Number(parsed.port),
  };
}

/** A name in ASCII or an address: other names are left as they were typed. */
function isHost(hostname: string): boolean {
  return /^[A-Za-z0-9._:[\]-]+$/.test(hostname);
}

function unusable(rule: string): TypeError {
  return new TypeError(`Cannot create relay: ${rule}`);
}
