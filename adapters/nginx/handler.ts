/**
 * The HTTP side of nginx's mail proxy: `auth_http` asks a provider.
 *
 * @module
 */

import { newConnectionId } from "../../lib/connection_id.ts";
import { harmless } from "../../lib/hook.ts";
import {
  isSameSecret,
  type PaddedSecret,
  padSecret,
} from "../../lib/constant_time.ts";
import {
  AUTH_REPLIES,
  decisionReply,
  type SmtpReply,
} from "../../auth/replies.ts";
import type { AuthProvider } from "../../auth/types.ts";
import {
  askInTime,
  aTimeout,
  DEFAULT_TIMEOUT_MS,
  type Unasked,
  unaskedEvent,
} from "../ask.ts";
import type { ServerEvent } from "../../auth/events.ts";
import {
  acceptedHeaders,
  clientOf,
  type NginxUpstream,
  readNginxQuestion,
  replyHeaders,
} from "./protocol.ts";
import { isIp } from "../../lib/ip.ts";
import {
  aFunction,
  anObject,
  aToken,
  checkOptions,
  checkValue,
  integer,
  required,
  type Rules,
  text,
} from "../../lib/options.ts";

const ACTION = "create nginx auth handler";

/**
 * How {@linkcode nginxAuthHandler} answers.
 *
 * @category Other mail servers
 */
export interface NginxAuthOptions {
  /** Where nginx takes a client once it has logged in. */
  readonly upstream: NginxUpstream;
  /**
   * What nginx must send in the header `secretHeader`, as `auth_http_header`
   * tells it to. Default: none, and then everybody who reaches the endpoint
   * may ask.
   */
  readonly secret?: string;
  /** The name of the header with the secret. Default: `X-Auth-Key`. */
  readonly secretHeader?: string;
  /**
   * How many seconds nginx holds back the reply to a wrong password before
   * the client may try again, from 1 to 60. Default: 3.
   */
  readonly waitSeconds?: number;
  /** Which wrong password of a connection ends it. Default: 3. */
  readonly maxAuthFailures?: number;
  /**
   * How long the provider may take, in milliseconds; then the client reads
   * 454. It is asked to the end even if the client has gone. Default: 9000;
   * nginx itself waits for 60 seconds.
   */
  readonly timeoutMs?: number;
  /** Called with what a log would want to know. What it throws is ignored. */
  readonly onEvent?: (event: ServerEvent) => void;
}

/**
 * Makes the endpoint that the mail proxy of nginx asks (`auth_http`), for
 * `Deno.serve` or any server that speaks Request and Response.
 *
 * nginx reads headers only. authOk sends the client on to the upstream,
 * authInvalid is `535 5.7.8` and, after a while, another try, authFailure is
 * `454 4.7.0` and the end of the connection; so is a missing or wrong secret.
 * To clients of IMAP and POP3 the response codes of RFC 5530 and RFC 3206 say
 * which of the two it is.
 * PLAIN and LOGIN look alike, and `heloName` is `""`: nginx does not tell.
 *
 * @param provider Who decides.
 * @param options Where clients go, the shared secret, limits and log.
 * @returns A function from request to response that never rejects.
 * @throws {TypeError} If the provider is not a function, the upstream is not an
 * IP address, or secret and header cannot be sent in a request. The text does not
 * repeat the secret.
 * @throws {RangeError} If a number is out of its range.
 *
 * @example With `auth_http 127.0.0.1:8026; auth_http_header X-Auth-Key …;`
 * ```ts
 * import { newStaticAuthProvider, nginxAuthHandler } from "@meowmail/smtpauth";
 *
 * const handler = nginxAuthHandler(newStaticAuthProvider({ ann: "secret" }), {
 *   upstream: { hostname: "127.0.0.1", port: 2526 },
 *   secret: "known-to-both",
 * });
 * // Deno.serve({ port: 8026 }, handler);
 *
 * const response = await handler(
 *   new Request("http://127.0.0.1:8026/", {
 *     headers: {
 *       "auth-method": "plain",
 *       "auth-user": "ann",
 *       "auth-pass": "secret",
 *       "x-auth-key": "known-to-both",
 *     },
 *   }),
 * );
 * console.assert(response.headers.get("auth-status") === "OK");
 * ```
 * @category Other mail servers
 */
export function nginxAuthHandler(
  provider: AuthProvider,
  options: NginxAuthOptions,
): (request: Request) => Promise<Response> {
  const answerTo = newNginxAnswers(provider, options);
  return (request) => answerTo(request, newConnectionId());
}

/**
 * The same for a server that has ids for its connections.
 *
 * @returns A function from a request's headers and an id to the answer.
 */
export function newNginxAnswers(
  provider: AuthProvider,
  options: NginxAuthOptions,
): (request: { readonly headers: Headers }, id: string) => Promise<Response> {
  checkValue(ACTION, "provider", aFunction, provider);
  const settings = checkedOptions(options);
  const { upstream, timeoutMs, waitSeconds, maxAuthFailures } = settings;
  const report = harmless(options.onEvent);

  return async ({ headers }, id) => {
    const unasked = (why: Unasked, mechanism = "") => {
      const remoteIp = clientOf(headers);
      report({ ...unaskedEvent("nginx", why, { mechanism, remoteIp }), id });
    };
    const refuse = (reply: SmtpReply, seconds?: number) =>
      answer(replyHeaders(reply, headers, seconds));
    if (!knowsSecret(headers, settings)) {
      unasked({ reason: "bad-token" });
      return refuse(AUTH_REPLIES.failure);
    }
    const question = readNginxQuestion(headers);
    if ("kind" in question) {
      const isKnown = question.reason !== "unknown-mechanism";
      unasked(question, isKnown ? "PLAIN" : "");
      return refuse(question);
    }
    const { result, event } = await askInTime(question.request, {
      via: "nginx",
      id,
      provider,
      timeoutMs,
    });
    report(event);
    if (result.decision === "authOk") {
      return answer(acceptedHeaders(upstream, result.user));
    }
    const mayTryAgain = result.decision === "authInvalid" &&
      question.attempt < maxAuthFailures;
    return refuse(decisionReply(result), mayTryAgain ? waitSeconds : undefined);
  };
}

interface Settings {
  readonly upstream: NginxUpstream;
  readonly secret: PaddedSecret | undefined;
  readonly secretHeader: string;
  readonly waitSeconds: number;
  readonly maxAuthFailures: number;
  readonly timeoutMs: number;
}

const RULES: Rules<NginxAuthOptions> = {
  upstream: required(anObject),
  secret: aToken,
  secretHeader: text(
    "a header name",
    (value) => /^[A-Za-z0-9-]+$/.test(value),
  ),
  waitSeconds: integer(1, 60),
  maxAuthFailures: integer(1),
  timeoutMs: aTimeout,
  onEvent: aFunction,
};

const UPSTREAM_RULES: Rules<NginxUpstream> = {
  hostname: required(text("an IP address", isIp)),
  port: required(integer(1, 65_535)),
};

function checkedOptions(options: NginxAuthOptions): Settings {
  checkOptions(ACTION, options, RULES);
  const {
    upstream,
    secret,
    secretHeader = "X-Auth-Key",
    waitSeconds = 3,
    maxAuthFailures = 3,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  } = options;
  checkOptions(ACTION, upstream, UPSTREAM_RULES, "upstream");
  return {
    upstream,
    secret: secret === undefined ? undefined : padSecret(secret),
    secretHeader,
    waitSeconds,
    maxAuthFailures,
    timeoutMs,
  };
}

function knowsSecret(
  headers: Headers,
  { secret, secretHeader }: Settings,
): boolean {
  if (secret === undefined) return true;
  return isSameSecret(headers.get(secretHeader) ?? "", secret);
}

/** Always 200: nginx does not look at the status. */
function answer(headers: Headers): Response {
  headers.set("cache-control", "no-store");
  return new Response(null, { status: 200, headers });
}
