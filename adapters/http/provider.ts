/**
 * The HTTP provider with connections of its own, where there is Deno.
 *
 * @module
 */

import {
  type HTTPAuthProviderOptions,
  newHTTPAuthProvider as newProvider,
} from "../../auth/providers/http.ts";
import type { ReadyProvider } from "../../auth/types.ts";
import { newHttpConnections } from "../../net/http_connections.ts";

/**
 * A provider that holds connections, and can let go of them.
 *
 * @category Who knows the users
 */
export interface HTTPAuthProvider extends ReadyProvider, Disposable {}

/**
 * Makes a provider that asks an HTTP endpoint "may this user send?".
 *
 * It POSTs the JSON object
 * `{"username","password","mechanism","remoteIp","heloName"}`. A `200` with
 * `{"ok":true}` is `authOk`; a `200` with `{"ok":false}`, a `401` and a `403`
 * are `authInvalid`; everything else is `authFailure`, because a broken back
 * end is not a wrong password: other statuses, redirects (never followed: they
 * would carry the password elsewhere), answers that are late, over 64 KiB or
 * not JSON, and connections that fail. So is a `401` with `WWW-Authenticate:
 * Bearer … error="invalid_token"` (RFC 6750): it is the `bearerToken` that is
 * wrong.
 *
 * A yes may say more, in the members of {@linkcode LoginRights}; one that is
 * not what it should be makes it `authFailure`. `cache-control: max-age` of the
 * answer is its `expiresAt`. A no may have a `text` for the client.
 *
 * Connections are reused. On Deno, a request whose connection turns out to be
 * dead goes out again on a new one, and no proxy of the environment (`HTTP_PROXY`
 * and its like) gets to see a login for an endpoint on the machine itself.
 * Elsewhere both are as the engine's `fetch` does it.
 *
 * @param url The endpoint: an `http:` or `https:` URL without credentials.
 * @param options Token, time limit, and the `fetch` to use.
 * @returns A provider that never throws and shows no secret to anyone but the
 * endpoint. Disposing closes the connections that it keeps.
 * @throws {TypeError} If the URL is no http(s) URL, has credentials in it or a
 * port that `fetch` blocks (such as 10080), or if the token cannot stand in a
 * header. The text repeats neither URL nor token.
 * @throws {RangeError} If `timeoutMs` is not above 0 and at most 2147483647.
 *
 * @example
 * ```ts
 * import { newHTTPAuthProvider } from "@meowmail/smtpauth";
 *
 * const provider = newHTTPAuthProvider("https://intranet.example/may-send", {
 *   bearerToken: "known-to-the-endpoint",
 *   fetch: () => Promise.resolve(Response.json({ ok: true })), // for the example
 * });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category Who knows the users
 */
export function newHTTPAuthProvider(
  url: string | URL,
  options: HTTPAuthProviderOptions = {},
): HTTPAuthProvider {
  // Made first, whichever is used: it says what is wrong.
  const plain = newProvider(url, options);
  if (options.fetch !== undefined || typeof Deno === "undefined") {
    return Object.assign(plain, { [Symbol.dispose]: () => {} });
  }
  const provider = newProvider(url, {
    ...options,
    fetch: (input, init) => connections.fetch(input, init),
  });
  const connections = newHttpConnections(new URL(url));
  return Object.assign(provider, {
    [Symbol.dispose]: () => connections[Symbol.dispose](),
  });
}
