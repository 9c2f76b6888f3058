/**
 * An HTTP endpoint out of any provider: the other end of the HTTP provider.
 *
 * @module
 */

import { newConnectionId } from "../../lib/connection_id.ts";
import { harmless } from "../../lib/hook.ts";
import { readBounded } from "../../lib/bounded_body.ts";
import {
  isSameSecret,
  type PaddedSecret,
  padSecret,
} from "../../lib/constant_time.ts";
import { checkCredentials } from "../../auth/sasl/credentials.ts";
import {
  aFunction,
  aToken,
  checkOptions,
  checkValue,
  type Rules,
} from "../../lib/options.ts";
import { decodeUTF8 } from "../../lib/text.ts";
import type {
  AuthProvider,
  AuthRequest,
  AuthResult,
  Refused,
} from "../../auth/types.ts";
import { tokenErrorJson } from "../../auth/token_error.ts";
import {
  askInTime,
  aTimeout,
  DEFAULT_TIMEOUT_MS,
  unaskedEvent,
} from "../ask.ts";
import type { AuthEvent, ServerEvent } from "../../auth/events.ts";
import { plainIp } from "../../lib/addresses.ts";

const ACTION = "create auth handler";

/** The most octets of a request that are read. */
const MAX_REQUEST_OCTETS = 65_536;

/**
 * How {@linkcode authHandler} answers.
 *
 * @category Other mail servers
 */
export interface AuthHandlerOptions {
  /**
   * What a caller must send as `authorization: Bearer …`. Default: none, and
   * then everybody who reaches the endpoint may ask.
   */
  readonly bearerToken?: string;
  /**
   * How long the provider may take, in milliseconds; then the answer is 503.
   * It is asked to the end even if the caller has gone. Default: 9000. Callers
   * have a limit of their own: 1200 is the default of `newHTTPAuthProvider`.
   */
  readonly timeoutMs?: number;
  /** Called with what a log would want to know. What it throws is ignored. */
  readonly onEvent?: (event: ServerEvent) => void;
}

/**
 * Makes an HTTP endpoint out of a provider, for `Deno.serve` or any server
 * that speaks Request and Response.
 *
 * It is the inverse of `newHTTPAuthProvider`: whatever the provider decides here
 * is what `newHTTPAuthProvider` decides there. authOk is `200 {"ok":true}`,
 * authInvalid `200 {"ok":false}`, authFailure 503, each with what belongs to the
 * result. A malformed request is 400, another method 405, and a missing or wrong
 * token 401 with `error="invalid_token"` (RFC 6750), so that no caller takes it
 * for a user's wrong password; the log has `bad-token`.
 *
 * @param provider Who decides.
 * @param options Token, time limit and log.
 * @returns A function from request to response that never rejects.
 * @throws {TypeError} If the provider is not a function, or the token cannot be
 * sent in a header. The text does not repeat the token.
 * @throws {RangeError} If `timeoutMs` is out of its range.
 *
 * @example A provider in TypeScript, served to every mail server of the house
 * ```ts
 * import { authHandler, newHTTPAuthProvider } from "@meowmail/smtpauth";
 *
 * const handler = authHandler(
 *   ({ username, password }) =>
 *     username === "ann" && password === "secret" ? "authOk" : "authInvalid",
 *   { bearerToken: "known-to-both" },
 * );
 * // Deno.serve({ port: 8025 }, handler);
 *
 * const provider = newHTTPAuthProvider("http://127.0.0.1:8025/", {
 *   bearerToken: "known-to-both",
 *   fetch: (input, init) => handler(new Request(input, init)), // for the example
 * });
 * const { decision } = await provider({
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authOk");
 * ```
 * @category Other mail servers
 */
export function authHandler(
  provider: AuthProvider,
  options: AuthHandlerOptions = {},
): (request: Request) => Promise<Response> {
  checkValue(ACTION, "provider", aFunction, provider);
  checkOptions(ACTION, options, RULES);
  const { bearerToken, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const token = bearerToken === undefined ? undefined : padSecret(bearerToken);
  const report = harmless(options.onEvent);

  return async (request) => {
    if (!isAuthorized(request, token)) {
      report(unasked("bad-token"));
      await discard(request);
      return unauthorized();
    }
    if (request.method !== "POST") {
      await discard(request);
      return failed(405, "only POST is allowed", { allow: "POST" });
    }
    const question = await readQuestion(request, timeoutMs);
    if (typeof question === "string") {
      report(unasked("bad-syntax"));
      return failed(400, question);
    }
    const asked = await askInTime(question, {
      via: "http",
      id: newConnectionId(),
      provider,
      timeoutMs,
    });
    report(asked.event);
    return answer(asked.result);
  };
}

const RULES: Rules<AuthHandlerOptions> = {
  bearerToken: aToken,
  timeoutMs: aTimeout,
  onEvent: aFunction,
};

function isAuthorized(
  { headers }: Request,
  token: PaddedSecret | undefined,
): boolean {
  if (token === undefined) return true;
  const [, given] =
    /^bearer +(.*)$/i.exec(headers.get("authorization") ?? "") ??
      [];
  return given !== undefined && isSameSecret(given, token);
}

/** The question, or what is wrong with it, without a word of it. */
async function readQuestion(
  request: Request,
  timeoutMs: number,
): Promise<AuthRequest | string> {
  if (!/^application\/json *(?:;|$)/i.test(contentType(request))) {
    await discard(request);
    // Other types are what a web page may send without being asked.
    return "content-type must be application/json";
  }
  let body: Uint8Array | undefined;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  try {
    body = await readBounded(request.body, MAX_REQUEST_OCTETS, late.signal);
  } catch {
    return "the body breaks off";
  } finally {
    clearTimeout(timer);
  }
  if (body === undefined) return "the body is over 64 KiB";
  const text = decodeUTF8(body);
  if (text === undefined) return "the body is not UTF-8";
  try {
    return questionOf(JSON.parse(text));
  } catch {
    return "the body is not JSON";
  }
}

function contentType({ headers }: Request): string {
  return headers.get("content-type") ?? "";
}

const MEMBERS = [
  "username",
  "password",
  "mechanism",
  "remoteIp",
  "heloName",
] as const;

/** Names the five members; others are for later versions. */
function questionOf(parsed: unknown): AuthRequest | string {
  if (typeof parsed !== "object" || parsed === null) {
    return "the body is not a JSON object";
  }
  const values: ReadonlyMap<string, unknown> = new Map(Object.entries(parsed));
  const texts = new Map<string, string>();
  for (const name of MEMBERS) {
    const value = values.get(name);
    // Half a surrogate pair would become another password on its way.
    if (typeof value !== "string" || !value.isWellFormed()) {
      return `${name} must be a string`;
    }
    texts.set(name, value);
  }
  const text = (name: typeof MEMBERS[number]) => texts.get(name) ?? "";
  const step = checkCredentials(
    text("mechanism"),
    text("username"),
    text("password"),
  );
  if (step.kind === "error") {
    return "username must not be empty nor have control characters, password must not be empty nor have a NUL";
  }
  const { mechanism, username, password } = step;
  return {
    username,
    password,
    mechanism,
    remoteIp: plainIp(text("remoteIp")),
    heloName: text("heloName"),
  };
}

function answer(result: AuthResult): Response {
  switch (result.decision) {
    case "authOk": {
      const { user, senders, limits, expiresAt, context } = result;
      const rights = { user, senders, limits, expiresAt, context };
      return json(200, { ok: true, ...rights }, freshness(expiresAt));
    }
    case "authInvalid":
      return json(200, { ok: false, ...refusal(result) });
    case "authFailure":
      return failed(503, "the provider cannot tell");
    default:
      return result satisfies never;
  }
}

function refusal({ text, tokenError }: Refused): Record<string, unknown> {
  return {
    text,
    ...(tokenError === undefined
      ? {}
      : { tokenError: tokenErrorJson(tokenError) }),
  };
}

/** A caller whose clock goes otherwise can tell the end of a yes by this. */
function freshness(expiresAt: number | undefined): Record<string, string> {
  if (expiresAt === undefined) return {};
  const seconds = Math.max(0, Math.floor((expiresAt - Date.now()) / 1000));
  return { "cache-control": `private, max-age=${seconds}` };
}

function unauthorized(): Response {
  return failed(401, "the bearer token is missing or wrong", {
    "www-authenticate": 'Bearer realm="smtpauth", error="invalid_token"',
  });
}

function failed(
  status: number,
  error: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return json(status, { error }, headers);
}

function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return Response.json(body, {
    status,
    headers: { "cache-control": "no-store", ...headers },
  });
}

/** A body that nobody reads would hold up its connection. */
async function discard({ body }: Request): Promise<void> {
  try {
    await body?.cancel();
  } catch {
    // It is broken, or read already.
  }
}

function unasked(reason: AuthEvent["reason"]): AuthEvent {
  return { ...unaskedEvent("http", { reason }), id: newConnectionId() };
}
