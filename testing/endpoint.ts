/**
 * An endpoint for the HTTP provider, which works, breaks in every way and works
 * again.
 *
 * @module
 */

import {
  type HTTPAuthProvider,
  newHTTPAuthProvider,
} from "../adapters/http/provider.ts";
import type { ReadyProvider } from "../auth/types.ts";
import { LIMIT_MS } from "./deadline.ts";
import { type Fault, type FaultFunction, faultFunction } from "./faults.ts";
import type { Login } from "./habits.ts";
import { serveHTTP } from "./http_server.ts";

/** How long to wait for an answer that does not come, in milliseconds. */
const WAITED_FOR_NOTHING_MS = 400;

/**
 * A question as an endpoint has received it, without the password.
 *
 * @category Testing
 */
export type EndpointQuestion = Readonly<Record<string, unknown>>;

/**
 * The logins that an endpoint knows: a plain one and an awkward one.
 *
 * @category Testing
 */
export const LOGINS: readonly [Login, Login] = [
  { username: "ann@example.com", password: "correct horse" },
  { username: "jörg@example.com", password: `pä ßwört%41+€"\\ 🔑` },
];

/**
 * What a {@linkcode TestEndpoint} is like.
 *
 * @category Testing
 */
export interface TestEndpointOptions {
  /** Whom it knows. Default: {@linkcode LOGINS}. */
  readonly users?: readonly Login[];
  /**
   * The token that it wants. Without it, its answer is `401` with
   * `error="invalid_token"`. Default: none.
   */
  readonly bearerToken?: string;
  /**
   * What stands beside `"ok":true` in its answer, such as `senders`. Default:
   * nothing.
   */
  readonly rights?: Readonly<Record<string, unknown>>;
  /**
   * How long its provider waits for it, in milliseconds. Default: 400 while the
   * fault is `hang` or `slow`, else 10000: a busy machine is no outage.
   */
  readonly timeoutMs?: number;
}

/**
 * An endpoint at a port of its own. Disposing ends it.
 *
 * @category Testing
 */
export interface TestEndpoint extends AsyncDisposable {
  /** Where it is. */
  readonly url: string;
  /** A provider that asks it. */
  readonly provider: HTTPAuthProvider;
  /** Every question so far. */
  readonly asked: readonly EndpointQuestion[];
  /**
   * Breaks it, or mends it with `none`. With `refused` its port is closed, and
   * opened again with the next fault that is another.
   */
  break(fault: Fault): Promise<void>;
}

/**
 * Starts an endpoint on loopback that answers as docs/http-endpoint.md says,
 * until it is told to break.
 *
 * @param options Whom it knows.
 * @returns The endpoint and a provider that asks it.
 *
 * @example An outage is no wrong password
 * ```ts
 * import { LOGINS, newTestEndpoint, newTestServer } from "@meowmail/smtpauth/testing";
 *
 * await using endpoint = await newTestEndpoint();
 * await using server = newTestServer({ inMemory: true, provider: endpoint.provider });
 * using client = await server.greeted();
 * const { username, password } = LOGINS[0];
 * for (const fault of ["refused", "reset", "500", "HTML", "401 invalid_token"] as const) {
 *   await endpoint.break(fault);
 *   await client.login(username, password, "454 4.7.0");
 * }
 * await endpoint.break("none");
 * await client.login(username, "wrong", "535 5.7.8");
 * await client.login(username, password, "235");
 * ```
 * @category Testing
 */
export async function newTestEndpoint(
  options: TestEndpointOptions = {},
): Promise<TestEndpoint> {
  const asked: EndpointQuestion[] = [];
  let fault: FaultFunction = faultFunction("none");
  let keepsWaiting = false;
  const server = await serveHTTP(async (request) => {
    const question: Question = await request.clone().json();
    const { password: _, ...rest } = question;
    asked.push(rest);
    return await fault(request) ?? answer(request, question, options);
  });
  const url = `${server.origin}/may-send`;
  const patient = newProvider(url, options, LIMIT_MS);
  const hasty = newProvider(url, options, WAITED_FOR_NOTHING_MS);
  const ask: ReadyProvider = (request, signal) =>
    (keepsWaiting ? hasty : patient)(request, signal);
  const provider = Object.assign(ask, {
    [Symbol.dispose]: () => {
      patient[Symbol.dispose]();
      hasty[Symbol.dispose]();
    },
  });
  return {
    url,
    provider,
    asked,
    async break(next) {
      fault = faultFunction(next);
      keepsWaiting = next === "hang" || next === "slow";
      if (next === "refused") server.stop();
      else await server.start();
    },
    async [Symbol.asyncDispose]() {
      provider[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function newProvider(
  url: string,
  { bearerToken, timeoutMs }: TestEndpointOptions,
  byDefaultMs: number,
): HTTPAuthProvider {
  return newHTTPAuthProvider(url, {
    timeoutMs: timeoutMs ?? byDefaultMs,
    ...bearerToken === undefined ? {} : { bearerToken },
  });
}

/** What an endpoint is sent. */
type Question = Readonly<Record<string, unknown>>;

function answer(
  { headers }: Request,
  { username, password }: Question,
  { users = LOGINS, bearerToken, rights }: TestEndpointOptions,
): Response {
  const isOurs = bearerToken === undefined ||
    headers.get("authorization") === `Bearer ${bearerToken}`;
  if (!isOurs) {
    return new Response(null, {
      status: 401,
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
    });
  }
  const ok = users.some((user) =>
    user.username === username && user.password === password
  );
  return Response.json(ok ? { ok, ...rights } : { ok });
}
