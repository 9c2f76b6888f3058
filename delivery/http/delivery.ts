/**
 * Hands messages to an operator's own HTTP endpoint.
 *
 * @module
 */

import { readBounded } from "../../lib/bounded_body.ts";
import { anEndpoint } from "../../lib/endpoint.ts";
import { faultOf } from "../../lib/network_fault.ts";
import {
  aFunction,
  aToken,
  checkOptions,
  currentOf,
  limitMs,
  orFunction,
  required,
  type Rules,
} from "../../lib/options.ts";
import { isOwnBody } from "../../smtp/body.ts";
import type { Deliver } from "../../smtp/delivery.ts";
import { aServerName } from "../../smtp/options.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { receivedField } from "../trace.ts";
import { readAnswer, type Verdict } from "./answer.ts";
import { envelopeJson, formOctets, formType, newBoundary } from "./form.ts";
import { Upload } from "./upload.ts";

/** How long an endpoint may do nothing, in milliseconds. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** The most octets of an answer that are read: a reply needs 300. */
const MAX_ANSWER_OCTETS = 65_536;

/**
 * How {@linkcode newHTTPDelivery} hands messages over.
 *
 * @category A whole listener
 */
export interface HTTPDeliveryOptions {
  /** The endpoint: an `http:` or `https:` URL without credentials. */
  readonly url: string | URL;
  /**
   * Sent as `authorization: Bearer …`; a function is asked for each message.
   * Default: none.
   */
  readonly bearerToken?: string | (() => string);
  /**
   * Milliseconds that the endpoint may do nothing: connect, take octets, or
   * answer when it has all. A slow client takes none of it. Default: 30000.
   */
  readonly timeoutMs?: number;
  /** The name of this server, in `Received`. Default: `localhost`. */
  readonly serverName?: string;
  /** Used in place of the global `fetch`, for tests or for a proxy. */
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * A {@linkcode Deliver} that can let go of what it holds.
 *
 * @category A whole listener
 */
export interface HTTPDelivery extends Deliver, Disposable {}

const RULES: Rules<HTTPDeliveryOptions> = {
  url: required(anEndpoint),
  bearerToken: orFunction(aToken),
  timeoutMs: limitMs(),
  serverName: aServerName,
  fetch: aFunction,
};

/**
 * Makes a destination that hands messages to an HTTP endpoint as they arrive:
 * nothing is stored, and a client gets `250` only after the endpoint has accepted
 * the message.
 *
 * Each is a `POST` of a form (`multipart/form-data`). Its part `envelope` is
 * JSON (`id`, `sender`, `recipients`, `user`, `context`, `remoteIp`, `heloName`,
 * `tls`, `trusted`, `parameters`), its part `message` a file
 * (`message/rfc822`): a `Received` line of ours, and the client's octets.
 * `Idempotency-Key` is the id.
 *
 * A 2xx is `250`, with `id` of a JSON answer in its text; 413 is `552 5.3.4`;
 * 400, 403, 404, 410 and 422 refuse for good; an answer of
 * `{"reply":{"code","enhanced","text"}}` refuses in its own words. Everything
 * else is `451 4.3.0`, and only the log learns which it was: other statuses,
 * redirects, silence, connections that fail, an answer of more than 64 KiB, or
 * a yes from an endpoint that has not read everything. If the client goes away,
 * the request is broken off, so that half a message never looks whole.
 *
 * @param options The endpoint, and how to talk to it.
 * @returns What takes messages. Disposing closes its connections.
 * @throws {TypeError} If the URL cannot be fetched or has credentials in it, or
 * if another option is not valid. The text repeats no secret.
 * @throws {RangeError} If `timeoutMs` is not above 0 and at most 2147483647.
 *
 * @example
 * ```ts
 * import { newHTTPDelivery, newStaticAuthProvider, serveSmtp } from "@meowmail/smtpauth";
 *
 * using deliver = newHTTPDelivery({ url: "https://intranet.example/mail" });
 * const provider = newStaticAuthProvider({ printer: "toner" });
 * await using server = serveSmtp({ port: 0, provider }, deliver);
 * ```
 * @category A whole listener
 */
export function newHTTPDelivery(options: HTTPDeliveryOptions): HTTPDelivery {
  checkOptions("create HTTP delivery", options, RULES);
  const { bearerToken, serverName = "localhost" } = options;
  const { fetch, close } = options.fetch === undefined
    ? newConnections()
    : { fetch: options.fetch, close: () => {} };
  const endpoint: Endpoint = {
    url: new URL(options.url),
    token: () => currentOf(bearerToken),
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    serverName,
    fetch,
    copies: options.fetch === undefined && typeof Deno !== "undefined",
  };
  return Object.assign((message: SmtpMessage) => deliver(endpoint, message), {
    [Symbol.dispose]: close,
  });
}

interface Endpoint {
  readonly url: URL;
  readonly token: () => string | undefined;
  readonly timeoutMs: number;
  readonly serverName: string;
  readonly fetch: typeof globalThis.fetch;
  /** Whether `fetch` copies a piece before it asks for the next one. */
  readonly copies: boolean;
}

/**
 * A `fetch` with a new connection for each message: one that was used before
 * may be dead, and a message that is on its way cannot be sent again. HTTP/1.1,
 * where the end of a form that never comes is the end of the connection.
 */
function newConnections(): Connections {
  if (typeof Deno === "undefined") return { fetch, close: () => {} };
  const client = Deno.createHttpClient({ poolMaxIdlePerHost: 0, http2: false });
  return {
    fetch: (input, init) => fetch(input, { ...init, client }),
    close: () => client.close(),
  };
}

/** A `fetch`, and what closes its connections. */
interface Connections {
  readonly fetch: typeof globalThis.fetch;
  readonly close: () => void;
}

async function deliver(
  endpoint: Endpoint,
  { envelope, body }: SmtpMessage,
): Promise<SmtpReply> {
  const { serverName, timeoutMs } = endpoint;
  const id = crypto.randomUUID();
  const boundary = newBoundary();
  const abort = new AbortController();
  const form = formOctets(
    boundary,
    envelopeJson(id, envelope),
    receivedField(envelope, { serverName, id, date: new Date() }),
    body,
  );
  const silence = Promise.withResolvers<never>();
  const onOver = () => {
    silence.reject(new Error(`the endpoint did nothing for ${timeoutMs} ms`));
    abort.abort();
  };
  const frees = endpoint.copies && isOwnBody(body);
  const upload = new Upload(form, { limitMs: timeoutMs, onOver, frees });
  try {
    const headers = headersOf(id, boundary, endpoint.token());
    const verdict = await Promise.race([
      verdictOf(endpoint, headers, upload, abort.signal),
      silence.promise,
    ]);
    return replyTo(verdict, id);
  } catch (error) {
    // It broke off because the client's octets did: that is the error.
    throw upload.fault === undefined ? error : upload.fault.error;
  } finally {
    upload.stop();
    abort.abort();
  }
}

function headersOf(
  id: string,
  boundary: string,
  token: string | undefined,
): Readonly<Record<string, string>> {
  return {
    accept: "application/json",
    "content-type": formType(boundary),
    "idempotency-key": id,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

function replyTo(verdict: Verdict, id: string): SmtpReply {
  switch (verdict.kind) {
    case "accepted": {
      const text = `Accepted as ${verdict.id ?? id}`;
      return { code: 250, enhanced: "2.0.0", text };
    }
    case "refused":
      return verdict.reply;
    case "failed":
      throw new Error(`the endpoint cannot take mail: ${verdict.words}`);
    default:
      return verdict satisfies never;
  }
}

async function verdictOf(
  endpoint: Endpoint,
  headers: Readonly<Record<string, string>>,
  upload: Upload,
  signal: AbortSignal,
): Promise<Verdict> {
  const answer = await answerOf(endpoint, headers, upload, signal);
  if ("kind" in answer) return answer;
  const verdict = readAnswer(answer.status, answer.text);
  // A no may come at once. A yes to what it has not got is none.
  return verdict.kind === "accepted" && !(await upload.ended)
    ? { kind: "failed", words: "it accepts what it has not read" }
    : verdict;
}

/** What the endpoint answers, perhaps before it has got all. */
async function answerOf(
  { url, fetch }: Endpoint,
  headers: Readonly<Record<string, string>>,
  upload: Upload,
  signal: AbortSignal,
): Promise<Verdict | { readonly status: number; readonly text: string }> {
  // Newer than its type: what is asked for is sent before it is answered.
  const init: RequestInit & { readonly duplex: "half" } = {
    method: "POST",
    headers,
    body: upload.stream,
    redirect: "manual",
    signal,
    duplex: "half",
  };
  try {
    const { status, body } = await fetch(url, init);
    const octets = await readBounded(body, MAX_ANSWER_OCTETS, signal);
    return octets === undefined
      ? { kind: "failed", words: "its answer is over 64 KiB" }
      : { status, text: new TextDecoder().decode(octets) };
  } catch (error) {
    return { kind: "failed", words: faultOf(error) };
  }
}
