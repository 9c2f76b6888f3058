/**
 * A provider that asks an operator's own HTTP endpoint.
 *
 * @module
 */

import { readBounded } from "../../lib/bounded_body.ts";
import { CLIENT_GONE } from "../reasons.ts";
import { faultOf } from "../../lib/network_fault.ts";
import { failure, readAnswer } from "./http_answer.ts";
import { isNameless } from "../results.ts";
import { blockedPort } from "../../lib/blocked_ports.ts";
import {
  aFunction,
  aToken,
  checkOptions,
  limitMs,
  type Rules,
} from "../../lib/options.ts";
import { race } from "../../lib/race.ts";
import { newTimeLimit, type TimeLimit } from "../../lib/time_limit.ts";
import type { AuthRequest, AuthResult, ReadyProvider } from "../types.ts";

/** How long an endpoint may take if nothing else is said, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 1200;

const ACTION = "create HTTP provider";

/** The most octets of an answer that are read: a decision needs 12. */
const MAX_ANSWER_OCTETS = 65_536;

/**
 * How {@linkcode newHTTPAuthProvider} asks.
 *
 * @category Who knows the users
 */
export interface HTTPAuthProviderOptions {
  /**
   * Sent as `authorization: Bearer …`, so that the endpoint can tell this
   * caller from others. Default: none.
   */
  readonly bearerToken?: string;
  /**
   * Milliseconds until a whole answer must be there: connecting, headers and
   * body together. Default: 1200.
   */
  readonly timeoutMs?: number;
  /** Used in place of the global `fetch`, for tests or for a proxy. */
  readonly fetch?: typeof globalThis.fetch;
  /** The time in milliseconds, for tests. Default: `Date.now`. */
  readonly now?: () => number;
}

const RULES: Rules<HTTPAuthProviderOptions> = {
  bearerToken: aToken,
  timeoutMs: limitMs(),
  fetch: aFunction,
  now: aFunction,
};

/**
 * Makes a provider that asks an HTTP endpoint, over whatever `fetch` there is:
 * the part of `newHTTPAuthProvider` (`adapters/http/provider.ts`, which says all
 * about it) that holds no connections of its own.
 *
 * @param url The endpoint: an `http:` or `https:` URL without credentials.
 * @param options Token, time limit, and the `fetch` to use.
 * @throws {TypeError} If the URL or the token is none that can be used.
 * @throws {RangeError} If `timeoutMs` is out of its range.
 */
export function newHTTPAuthProvider(
  url: string | URL,
  options: HTTPAuthProviderOptions = {},
): ReadyProvider {
  checkOptions(ACTION, options, RULES);
  const endpoint: Endpoint = {
    url: checkedURL(url),
    headers: requestHeaders(options.bearerToken),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    now: options.now ?? Date.now,
    limit: newTimeLimit(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
  };
  return (request, signal) => askInTime(endpoint, request, signal);
}

interface Endpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: typeof globalThis.fetch;
  readonly limit: TimeLimit;
  readonly now: () => number;
}

/** Settles at the time limit or at the abort even if `fetch` heeds neither. */
async function askInTime(
  endpoint: Endpoint,
  request: AuthRequest,
  signal: AbortSignal | undefined,
): Promise<AuthResult> {
  const controller = new AbortController();
  const raced = await race(
    () => ask(endpoint, request, controller.signal),
    { limit: endpoint.limit, signal },
  );
  switch (raced.kind) {
    case "done":
      return raced.value;
    case "broken":
      return failure("backend-unreachable", faultOf(raced.error));
    case "late":
      // By the name a `fetch` can tell a silent endpoint from a gone client.
      controller.abort(new DOMException("Too late", "TimeoutError"));
      return failure("backend-timeout");
    case "gone":
      controller.abort();
      return CLIENT_GONE;
    default:
      return raced satisfies never;
  }
}

async function ask(
  endpoint: Endpoint,
  request: AuthRequest,
  signal: AbortSignal,
): Promise<AuthResult> {
  const response = await endpoint.fetch(endpoint.url, {
    method: "POST",
    headers: endpoint.headers,
    body: requestBody(request),
    redirect: "manual",
    signal,
  });
  // The whole answer is read whatever the status, so that the connection can
  // be used again, and because size and time win over the status.
  const body = isShort(response.headers)
    ? new Uint8Array(await response.arrayBuffer())
    : await readBounded(response.body, MAX_ANSWER_OCTETS, signal);
  if (body === undefined) return failure("backend-size");
  const result = readAnswer(response, body, endpoint.now());
  return isNameless(result, request.username)
    ? failure("backend-answer", "user")
    : result;
}

/**
 * Whether an answer says that it is short, and cannot be longer than it says,
 * as a compressed one can. Then it need not be read piece by piece, which
 * takes a quarter of the time of the whole request.
 */
function isShort(headers: Headers): boolean {
  const length = headers.get("content-length");
  return length !== null && /^[0-9]{1,5}$/.test(length) &&
    Number(length) <= MAX_ANSWER_OCTETS && !headers.has("content-encoding");
}

/** Names the five members: whatever else a caller put there stays here. */
function requestBody(request: AuthRequest): string {
  const { username, password, mechanism, remoteIp, heloName } = request;
  return JSON.stringify({
    username,
    password,
    mechanism,
    remoteIp,
    heloName,
  });
}

function requestHeaders(bearerToken: string | undefined) {
  const headers: Record<string, string> = {
    "content-type": "application/json",
    accept: "application/json",
  };
  if (bearerToken === undefined) return headers;
  headers.authorization = `Bearer ${bearerToken}`;
  return headers;
}

// The texts below never repeat the URL: it may hold the very credentials that
// they complain about.
function checkedURL(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError(
      `Cannot ${ACTION}: url must be an absolute http: or https: URL`,
    );
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new TypeError(
      `Cannot ${ACTION}: url must begin with http: or https:`,
    );
  }
  if (parsed.username !== "" || parsed.password !== "") {
    throw new TypeError(
      `Cannot ${ACTION}: url must not contain credentials; use bearerToken`,
    );
  }
  const blocked = blockedPort(parsed);
  if (blocked !== undefined) {
    throw new TypeError(
      `Cannot ${ACTION}: url must not have a port that fetch blocks: got ${blocked}`,
    );
  }
  return parsed.href;
}
