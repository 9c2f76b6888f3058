/**
 * What may name an issuer, its endpoints and a scope. It stands apart from what
 * asks them, because the command reads its flags by it.
 *
 * @module
 */

import { anEndpoint, isPrivateWay } from "../../../lib/endpoint.ts";

/** Whether a text is the URL of an endpoint that may see tokens. */
export function isIssuerURL(value: unknown): value is string {
  return typeof value === "string" && anEndpoint.test(value) &&
    isPrivateWay(new URL(value));
}

/** Whether a text can be the name of an issuer (RFC 8414 section 2). */
export function isIssuer(text: string): boolean {
  return isIssuerURL(text) && !/[?#]/.test(text);
}

/** Whether a text is one scope (RFC 6749 section 3.3). */
export function isOneScope(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,512}$/.test(text);
}
