/**
 * The tests' issuer on a port of this machine.
 *
 * @module
 */

import { TestIssuer, type TestIssuerOptions } from "./issuer.ts";

/** An issuer that can be reached until it is disposed. */
export interface ServedIssuer extends AsyncDisposable {
  readonly issuer: TestIssuer;
  /** Listens no more: whoever connects is refused. */
  readonly shutdown: () => Promise<void>;
}

/** What an issuer that is served is like. */
export interface ServedIssuerOptions extends Omit<TestIssuerOptions, "url"> {
  /** The path of its URL. Default: `/realms/staff`. */
  readonly path?: string;
}

/** Serves an issuer at any free port. */
export function serveIssuer(
  { path = "/realms/staff", ...options }: ServedIssuerOptions = {},
): ServedIssuer {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => issuer.handle(request),
  );
  const url = `http://127.0.0.1:${server.addr.port}${path}`;
  const issuer: TestIssuer = new TestIssuer({ ...options, url });
  const shutdown = () => server.shutdown();
  return { issuer, shutdown, [Symbol.asyncDispose]: shutdown };
}

/** The flags that take an issuer's tokens. */
export function flagsFor(issuer: TestIssuer): readonly string[] {
  return [
    ...["--oauth-issuer", issuer.url],
    ...["--oauth-audience", "smtp", "--oauth-claim", "email"],
  ];
}

/** The message of XOAUTH2 in base64. */
export function xoauth2(token: string, username = "ann@example.com"): string {
  return btoa(`user=${username}\x01auth=Bearer ${token}\x01\x01`);
}

/** The message of OAUTHBEARER in base64; without a name unless one is given. */
export function oauthbearer(token: string, username?: string): string {
  const authzid = username === undefined ? "" : `a=${username}`;
  return btoa(`n,${authzid},\x01auth=Bearer ${token}\x01\x01`);
}
