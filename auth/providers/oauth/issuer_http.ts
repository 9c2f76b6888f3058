/**
 * Asking an issuer over HTTP: in time, not more than fits, and nowhere else.
 *
 * @module
 */

import { readBounded } from "../../../lib/bounded_body.ts";
import { parseJSON } from "../../../lib/json.ts";
import { faultOf } from "../../../lib/network_fault.ts";
import { race } from "../../../lib/race.ts";
import type { TimeLimit } from "../../../lib/time_limit.ts";
import type { ProviderReason } from "../../reasons.ts";
import { isObject, type Untrusted } from "../../results.ts";

/**
 * How long an issuer may take to answer, in milliseconds. A login that finds
 * nothing known asks twice, and adapters wait for nine seconds.
 */
export const ISSUER_LIMIT_MS = 4_000;

/** The most octets of an answer: Microsoft's keys, with certificates, are 25 KB. */
const MAX_ANSWER_OCTETS = 262_144;

/** Nobody can tell, and why. */
export interface Outage {
  readonly kind: "outage";
  readonly reason: ProviderReason;
  /** Which of the issuer's answers, and what of it. */
  readonly detail: string;
  /** The status of the answer, if there was one. */
  readonly status?: number;
}

/** What has been fetched, or why not. */
export type Fetched<T> =
  | { readonly kind: "fetched"; readonly value: T }
  | Outage;

/** How to ask an issuer. */
export interface IssuerHttp {
  readonly fetch: typeof globalThis.fetch;
  readonly limit: TimeLimit;
}

/** What is asked for. */
export interface IssuerQuestion {
  /** What an outage's detail calls it. */
  readonly what: "discovery" | "keys" | "introspection";
  readonly url: string;
  readonly init?: RequestInit;
}

/** Says what was not as it should be. */
export function outage(
  reason: ProviderReason,
  detail: string,
  status?: number,
): Outage {
  return {
    kind: "outage",
    reason,
    detail,
    ...(status === undefined ? {} : { status }),
  };
}

/**
 * Asks for a JSON object. Every answer is read or given up.
 *
 * @param signal Aborted when nobody waits for the answer any more.
 */
export async function fetchJSON(
  { fetch, limit }: IssuerHttp,
  { what, url, init }: IssuerQuestion,
  signal?: AbortSignal,
): Promise<Fetched<Untrusted>> {
  const controller = new AbortController();
  const raced = await race(async () => {
    const response = await fetch(url, {
      ...init,
      // Not to be followed: it would carry tokens and secrets elsewhere.
      redirect: "manual",
      signal: controller.signal,
    });
    return await readAnswer(what, response, controller.signal);
  }, { limit, signal });
  switch (raced.kind) {
    case "done":
      return raced.value;
    case "broken":
      return outage("backend-unreachable", `${what}: ${faultOf(raced.error)}`);
    case "late":
      controller.abort(new DOMException("Too late", "TimeoutError"));
      return outage("backend-timeout", what);
    case "gone":
      controller.abort();
      return outage("client-gone", what);
    default:
      return raced satisfies never;
  }
}

async function readAnswer(
  what: string,
  { status, body }: Response,
  signal: AbortSignal,
): Promise<Fetched<Untrusted>> {
  const octets = await readBounded(body, MAX_ANSWER_OCTETS, signal);
  if (octets === undefined) return outage("backend-size", what);
  // An engine may show a redirect that it did not follow as 0.
  if (status === 0 || status >= 300 && status < 400) {
    return outage("backend-redirect", `${what}: ${status}`, status);
  }
  if (status !== 200) {
    return outage("backend-status", `${what}: ${status}`, status);
  }
  const value = parseJSON(octets);
  return isObject(value)
    ? { kind: "fetched", value }
    : outage("backend-answer", `${what}: not a JSON object`);
}
