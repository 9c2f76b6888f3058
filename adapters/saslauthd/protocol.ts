/**
 * The protocol of Cyrus saslauthd: one request, one answer.
 *
 * @module
 */

import { decodeUTF8, hasControls } from "../../auth/sasl/credentials.ts";
import type { AuthRequest } from "../../auth/types.ts";
import { plainIp } from "../../lib/addresses.ts";

/** The most octets of a request: the limit of saslauthd itself. */
export const MAX_REQUEST_OCTETS = 8_192;

/** The most octets of a field: the limit of the library that writes them. */
const MAX_FIELD_OCTETS = 1_024;

/** User name, password, service and realm. */
const FIELDS = 4;

/** What the octets so far amount to. */
export type SaslauthdRequest =
  /** The request is not whole yet. */
  | { readonly kind: "more" }
  /** This is no request. */
  | { readonly kind: "bad" }
  /** A request that no user can have meant: the answer is no. */
  | {
    readonly kind: "impossible";
    readonly reason: "bad-utf8" | "bad-message";
    readonly remoteIp: string;
  }
  | { readonly kind: "request"; readonly request: AuthRequest };

/**
 * Reads a request: four fields, each a 16-bit length and as many octets.
 *
 * @param octets All that has arrived. A fifth field, the client's
 * `address;port`, is taken if it is whole, and is not waited for: only later
 * versions of the library send it, with the rest in one write.
 */
export function readSaslauthdRequest(octets: Uint8Array): SaslauthdRequest {
  const fields: Uint8Array[] = [];
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  let at = 0;
  while (fields.length <= FIELDS && at + 2 <= octets.length) {
    const length = view.getUint16(at);
    if (length > MAX_FIELD_OCTETS) {
      return fields.length < FIELDS ? { kind: "bad" } : readFields(fields);
    }
    if (at + 2 + length > octets.length) break;
    fields.push(octets.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  if (fields.length >= FIELDS) return readFields(fields);
  return octets.length >= MAX_REQUEST_OCTETS
    ? { kind: "bad" }
    : { kind: "more" };
}

function readFields(fields: readonly Uint8Array[]): SaslauthdRequest {
  const [user, password, , realm, client] = fields.map(decodeUTF8);
  const remoteIp = plainIp(client?.replace(/;[0-9]*$/, ""));
  if (user === undefined || password === undefined || realm === undefined) {
    return { kind: "impossible", reason: "bad-utf8", remoteIp };
  }
  // The library has taken user@realm apart.
  const username = realm === "" ? user : `${user}@${realm}`;
  if (
    user === "" || password === "" || hasControls(username) ||
    password.includes("\0")
  ) {
    return { kind: "impossible", reason: "bad-message", remoteIp };
  }
  // Neither the mechanism nor the EHLO is told; PLAIN is what it amounts to.
  const mechanism = "PLAIN";
  const request = { username, password, mechanism, remoteIp, heloName: "" };
  return { kind: "request", request };
}

/** An answer: a 16-bit length and the word. */
export function formatSaslauthdAnswer(word: "OK" | "NO"): Uint8Array {
  return Uint8Array.of(0, word.length, ...new TextEncoder().encode(word));
}
