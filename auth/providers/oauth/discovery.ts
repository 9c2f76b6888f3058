/**
 * What an issuer says about itself (OpenID Connect Discovery 1.0, RFC 8414).
 *
 * @module
 */

import {
  type Fetched,
  fetchJSON,
  type IssuerHttp,
  outage,
} from "./issuer_http.ts";
import { isIssuerURL } from "./names.ts";
import type { Untrusted } from "../../results.ts";

/** What is of use to whoever checks tokens. */
export interface IssuerMetadata {
  /** Where its keys are. */
  readonly jwksUri: string | undefined;
  /** Where it tells about tokens. */
  readonly introspectionEndpoint: string | undefined;
}

/** Where OpenID Connect has an issuer's metadata: clients are told so, too. */
export function openidConfiguration(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** Where RFC 8414 section 3.1 has them: the path of the issuer comes last. */
function oauthConfiguration(issuer: string): string {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, "");
  return `${origin}/.well-known/oauth-authorization-server${path}`;
}

/** Fetches an issuer's metadata; only those that are its own (section 3.3). */
export async function discover(
  http: IssuerHttp,
  issuer: string,
): Promise<Fetched<IssuerMetadata>> {
  let fetched = await fetchMetadata(http, openidConfiguration(issuer));
  if (fetched.kind === "outage" && fetched.status === 404) {
    fetched = await fetchMetadata(http, oauthConfiguration(issuer));
  }
  return fetched.kind === "fetched"
    ? readMetadata(fetched.value, issuer)
    : fetched;
}

function fetchMetadata(http: IssuerHttp, url: string) {
  return fetchJSON(http, { what: "discovery", url });
}

function readMetadata(
  answer: Untrusted,
  issuer: string,
): Fetched<IssuerMetadata> {
  if (answer.issuer !== issuer) {
    const name = JSON.stringify(answer.issuer ?? null).slice(0, 200);
    return outage("backend-answer", `discovery: it calls itself ${name}`);
  }
  const jwksUri = endpointOf(answer, "jwks_uri");
  const introspectionEndpoint = endpointOf(answer, "introspection_endpoint");
  return { kind: "fetched", value: { jwksUri, introspectionEndpoint } };
}

/** One that tokens and keys must not go to is none. */
function endpointOf(answer: Untrusted, name: string): string | undefined {
  const url = answer[name];
  return isIssuerURL(url) ? url : undefined;
}
