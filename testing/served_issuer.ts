/**
 * An issuer at a port of its own.
 *
 * @module
 */

import { serveHTTP } from "./http_server.ts";
import { TestIssuer, type TestIssuerOptions } from "./issuer.ts";

/**
 * An issuer that can be reached until it is disposed.
 *
 * @category Testing
 */
export interface ServedIssuer extends AsyncDisposable {
  /** The issuer. */
  readonly issuer: TestIssuer;
  /** Listens no more: whoever connects is refused. */
  shutdown(): Promise<void>;
}

/**
 * What an issuer that is served is like.
 *
 * @category Testing
 */
export interface ServedIssuerOptions extends Omit<TestIssuerOptions, "url"> {
  /** The path of its URL. Default: `/realms/staff`. */
  readonly path?: string;
}

/**
 * Serves an issuer at any free port of the machine itself.
 *
 * @param options Its path, and when it is.
 * @returns The issuer. Disposing ends it.
 *
 * @example A token of its own
 * ```ts
 * import { newOAuthProvider } from "@meowmail/smtpauth/oauth";
 * import { newTestServer, serveTestIssuer } from "@meowmail/smtpauth/testing";
 *
 * await using served = await serveTestIssuer();
 * const { issuer } = served;
 * const provider = newOAuthProvider({ issuer: issuer.url, audience: "smtp", claim: "email" });
 * await using server = newTestServer({ inMemory: true, provider, mechanisms: ["XOAUTH2"] });
 * using client = await server.greeted();
 * const token = await issuer.token({ email: "ann@example.com" });
 * const xoauth2 = btoa(`user=ann@example.com\x01auth=Bearer ${token}\x01\x01`);
 * await client.command(`AUTH XOAUTH2 ${xoauth2}`, "235");
 * ```
 * @category Testing
 */
export async function serveTestIssuer(
  options: ServedIssuerOptions = {},
): Promise<ServedIssuer> {
  const { path = "/realms/staff", ...others } = options;
  const server = await serveHTTP((request) => issuer.handle(request));
  const url = `${server.origin}${path}`;
  const issuer: TestIssuer = new TestIssuer({ ...others, url });
  const shutdown = async () => await server[Symbol.asyncDispose]();
  return { issuer, shutdown, [Symbol.asyncDispose]: shutdown };
}
