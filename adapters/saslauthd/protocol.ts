/**
 * The protocol of Cyrus saslauthd: one request, one answer.
 *
 * @module
 */

import { readCredentials } from "../../auth/sasl/credentials.ts";
import type { SaslError } from "../../auth/sasl/steps.ts";
import type { AuthRequest } from "../../auth/types.ts";
import { plainIp } from "../../lib/addresses.ts";
import { concat } from "../../lib/octets.ts";
import { decodeUTF8 } from "../../lib/text.ts";

/** The most octets of a request: the limit of saslauthd itself. */
export const MAX_REQUEST_OCTETS = 8_192;

/** The most octets of a field: the limit of the library that writes them. */
const MAX_FIELD_OCTETS = 1_024;

/** User name, password, service and realm. */
const FIELDS = 4;

const NONE = new Uint8Array();
const AT = new TextEncoder().encode("@");

/** What the octets so far amount to. */
export type SaslauthdRequest =
  /** The request is not whole yet. */
  | { readonly kind: "more" }
  /** This is no request. */
  | { readonly kind: "bad" }
  /** A request that no user can have meant: the answer is no. */
  | {
    readonly kind: "impossible";
    readonly error: SaslError;
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
  const [user = NONE, pass = NONE, , realm = NONE, client = NONE] = fields;
  const remoteIp = plainIp(decodeUTF8(client)?.replace(/;[0-9]*$/, ""));
  // The library has taken user@realm apart. It tells neither the mechanism nor
  // the EHLO; PLAIN is what it amounts to.
  const whole = user.length === 0 || realm.length === 0
    ? user
    : concat([user, AT, realm]);
  const step = readCredentials("PLAIN", whole, pass);
  if (step.kind === "error") {
    return { kind: "impossible", error: step, remoteIp };
  }
  const { username, password, mechanism } = step;
  const request = { username, password, mechanism, remoteIp, heloName: "" };
  return { kind: "request", request };
}

/** An answer: a 16-bit length and the word. */
export function formatSaslauthdAnswer(word: "OK" | "NO"): Uint8Array {
  return Uint8Array.of(0, word.length, ...new TextEncoder().encode(word));
}
