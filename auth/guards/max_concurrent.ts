/**
 * A bound on how much is asked of a back end at once.
 *
 * @module
 */

import { askProvider } from "../ask_provider.ts";
import {
  aFunction,
  checkOptions,
  checkValue,
  integer,
  limitMs,
  type Rules,
} from "../../lib/options.ts";
import { CLIENT_GONE } from "../reasons.ts";
import type {
  AuthProvider,
  AuthRequest,
  AuthResult,
  ReadyProvider,
} from "../types.ts";
import { newWaitingLine } from "../../lib/wait_queue.ts";

const ACTION = "create concurrency limit";

/**
 * How many calls may be under way if nothing else is said. At 20 ms each that
 * is 3,200 logins a second, more than one listener sees.
 */
const DEFAULT_LIMIT = 64;

/** How many may wait if nothing else is said: a burst as long again. */
const DEFAULT_QUEUE_LENGTH = 64;

/**
 * How long one may wait if nothing else is said, in milliseconds: with the
 * 1200 ms of the HTTP provider, an answer is there in under 2 s.
 */
const DEFAULT_QUEUE_MS = 500;

/**
 * What {@linkcode maxConcurrent} allows.
 *
 * @category Around a provider
 */
export interface MaxConcurrentOptions {
  /** The most calls under way. Default: 64. */
  readonly limit?: number;
  /** The most requests that wait for one to end; 0 for none. Default: 64. */
  readonly queueLength?: number;
  /** Milliseconds that a request may wait. Default: 500. */
  readonly queueMs?: number;
}

const RULES: Rules<MaxConcurrentOptions> = {
  limit: integer(1),
  queueLength: integer(0),
  queueMs: limitMs(),
};

/**
 * Bounds the calls of a provider that are under way at once.
 *
 * A request beyond the limit waits, first come, first served, in a short
 * queue; where the queue is full or the wait too long, the answer is
 * `authFailure`. So a slow back end means quick `454`s, not a pile of waiting
 * clients. A request whose client has gone leaves the queue.
 *
 * A call is under way until the provider has answered, even if its client has
 * gone: a provider that ignores the signal needs a time limit of its own, as
 * the HTTP provider has.
 *
 * @param provider Whom to ask.
 * @param options The limits.
 * @returns A provider that never throws or rejects.
 * @throws {TypeError} If the provider is not a function, or an option is unknown.
 * @throws {RangeError} If `limit` is not a whole number from 1, `queueLength` not
 * one from 0, or `queueMs` not above 0 and at most 2147483647.
 *
 * @example At most ten calls at once
 * ```ts
 * import { maxConcurrent, newHTTPAuthProvider } from "@meowmail/smtpauth";
 *
 * const endpoint = newHTTPAuthProvider("https://intranet.example/may-send", {
 *   fetch: () => Promise.resolve(Response.json({ ok: true })), // for the example
 * });
 * const provider = maxConcurrent(endpoint, { limit: 10 });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category Around a provider
 */
export function maxConcurrent(
  provider: AuthProvider,
  options: MaxConcurrentOptions = {},
): ReadyProvider {
  checkValue(ACTION, "provider", aFunction, provider);
  checkOptions(ACTION, options, RULES);
  const {
    limit = DEFAULT_LIMIT,
    queueLength = DEFAULT_QUEUE_LENGTH,
    queueMs = DEFAULT_QUEUE_MS,
  } = options;
  const line = newWaitingLine();
  let underWay = 0;

  /** Frees a place, or gives it to the first in the line as it is. */
  function leave(): void {
    if (!line.next()) underWay--;
  }

  /** Asks from a place that is taken already. */
  const inPlace: AuthProvider = async (request, signal) => {
    try {
      return await provider(request, signal);
    } finally {
      leave();
    }
  };

  async function queued(
    request: AuthRequest,
    signal: AbortSignal | undefined,
  ): Promise<AuthResult> {
    if (!(await line.wait(queueMs, signal))) {
      return signal?.aborted ? CLIENT_GONE : BUSY;
    }
    if (signal?.aborted) {
      leave();
      return CLIENT_GONE;
    }
    return await askProvider(inPlace, request, signal);
  }

  return async (request, signal) => {
    if (signal?.aborted) return CLIENT_GONE;
    if (underWay >= limit) {
      return line.size() < queueLength ? await queued(request, signal) : BUSY;
    }
    underWay++;
    return await askProvider(inPlace, request, signal);
  };
}

const BUSY: AuthResult = Object.freeze({
  decision: "authFailure",
  reason: "backend-busy",
});
