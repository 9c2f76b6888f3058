/**
 * Asking an issuer about a token (RFC 7662).
 *
 * @module
 */

import { encodeBase64 } from "../../../lib/base64.ts";
import { withoutNulls } from "../../../lib/json.ts";
import type { Untrusted } from "../../results.ts";
import { type BadToken, badToken } from "./claims.ts";
import {
  fetchJSON,
  type IssuerHttp,
  type Outage,
  outage,
} from "./issuer_http.ts";

/** Who we are to the issuer. */
export interface IntrospectionClient {
  readonly id: () => string;
  readonly secret: () => string;
}

/** Claims that an issuer has told. */
export interface Introspected {
  readonly kind: "introspected";
  readonly claims: Untrusted;
}

/**
 * Asks about a token.
 *
 * @param signal Aborted when nobody waits for the answer any more.
 */
export async function introspect(
  http: IssuerHttp,
  url: string,
  client: IntrospectionClient,
  token: string,
  signal: AbortSignal | undefined,
): Promise<Introspected | BadToken | Outage> {
  const init: RequestInit = {
    method: "POST",
    headers: { authorization: basic(client), accept: "application/json" },
    body: new URLSearchParams({ token, token_type_hint: "access_token" }),
  };
  const fetched = await fetchJSON(
    http,
    { what: "introspection", url, init },
    signal,
  );
  if (fetched.kind === "fetched") return readIntrospection(fetched.value);
  // It is us whom the issuer does not know, and no user (RFC 6749 section 5.2).
  return fetched.status === 401
    ? outage("backend-token", "introspection: 401")
    : fetched;
}

function readIntrospection(
  claims: Untrusted,
): Introspected | BadToken | Outage {
  switch (claims.active) {
    case true:
      return { kind: "introspected", claims: toldClaims(claims) };
    case false:
      return badToken("token-inactive");
    default:
      return outage("backend-answer", "introspection: active");
  }
}

/**
 * The claims that are told. Doorkeeper has 0 for the end of a token that has
 * none; it is the issuer itself who has just looked at the time.
 */
function toldClaims(answer: Untrusted): Untrusted {
  const { exp, ...others } = withoutNulls(answer);
  return exp === undefined || exp === 0 ? others : { ...others, exp };
}

/** Both are encoded as in a form before they are joined (RFC 6749 section 2.3.1). */
function basic({ id, secret }: IntrospectionClient): string {
  const pair = [id(), secret()].map((text) =>
    new URLSearchParams([["", text]]).toString().slice(1)
  );
  return `Basic ${encodeBase64(new TextEncoder().encode(pair.join(":")))}`;
}
