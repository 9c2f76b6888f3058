/**
 * What can be wrong with an HTTP server, on demand.
 *
 * @module
 */

import { pause } from "../lib/race.ts";

/**
 * A fault by its name.
 *
 * @category Testing
 */
export type FaultName =
  /** There is none. */
  | "none"
  /** Nobody listens. */
  | "refused"
  /** The connection is reset where an answer should begin. */
  | "reset"
  /** It is closed there. */
  | "closed"
  /** Nothing ever comes. */
  | "hang"
  /** An octet comes every 200 ms. */
  | "slow"
  /** Status 500, as of a proxy before it. */
  | "500"
  /** A page for people, with a status that looks well. */
  | "HTML"
  /** Another protocol's greeting. */
  | "not HTTP"
  /** JSON, and nothing that belongs there. */
  | "not ours"
  /** The way to another place, which must not be taken. */
  | "redirect"
  /** It is our own token that is wrong (RFC 6750 section 3). */
  | "401 invalid_token"
  /** The connection ends within the head of an answer. */
  | "cut in head"
  /** It ends within the body. */
  | "cut in body"
  /** It is reset there. */
  | "reset in body"
  /** The body has no end. */
  | "endless";

/**
 * What a server does in place of answering; nothing: it answers.
 *
 * @category Testing
 */
export type FaultFunction = (
  request: Request,
) => Response | undefined | Promise<Response | undefined>;

/**
 * A fault: by its name, or of your own.
 *
 * @category Testing
 */
export type Fault = FaultName | FaultFunction;

/**
 * How a connection breaks.
 *
 * @category Testing
 */
export class BrokenConnection extends Error {
  /** Tells it from other errors. */
  override readonly name = "BrokenConnection";
  /** What is sent before. */
  readonly octets: string;
  /** By what it ends. */
  readonly by: "reset" | "close";

  /** Ends a connection, once something has been sent. */
  constructor(by: "reset" | "close", words: string, octets = "") {
    super(words);
    this.by = by;
    this.octets = octets;
  }
}

const YES = '{"ok":true}';
const HEAD = `HTTP/1.1 200 OK\r\ncontent-length: ${YES.length}\r\n`;

/** What each fault is. The words are those of a `fetch` that meets it. */
const FAULTS: Readonly<Record<FaultName, FaultFunction>> = {
  "none": () => undefined,
  "refused": breaks("reset", "Connection refused (os error 111)"),
  "reset": breaks("reset", "Connection reset by peer (os error 104)"),
  "closed": breaks("close", "connection closed before message completed"),
  "hang": () => new Promise(() => {}),
  "slow": ({ signal }) => new Response(trickle(YES, signal)),
  "500": () => new Response("Internal Server Error", { status: 500 }),
  "HTML": () =>
    new Response("<!doctype html><title>Sign in</title>", {
      headers: { "content-type": "text/html" },
    }),
  "not HTTP": breaks(
    "close",
    "invalid HTTP version parsed",
    "220 mail.example.org ESMTP\r\n\0\xff\r\n\r\n",
  ),
  "not ours": () => Response.json(["keys"]),
  "redirect": () =>
    new Response(null, {
      status: 302,
      headers: { location: "https://elsewhere.test/" },
    }),
  "401 invalid_token": () =>
    new Response(null, {
      status: 401,
      headers: { "www-authenticate": 'Bearer error="invalid_token"' },
    }),
  "cut in head": breaks("close", "unexpected end of file", HEAD),
  "cut in body": breaks(
    "close",
    "unexpected end of file",
    `${HEAD}\r\n${YES.slice(0, 6)}`,
  ),
  "reset in body": () => new Response(brokenOff()),
  "endless": () => new Response(spaces()),
};

function breaks(...how: ConstructorParameters<typeof BrokenConnection>) {
  return (): never => {
    throw new BrokenConnection(...how);
  };
}

/** What a fault does. */
export function faultFunction(fault: Fault): FaultFunction {
  return typeof fault === "function" ? fault : FAULTS[fault];
}

/**
 * A fault that comes and goes: each of these in turn, round and round.
 *
 * @param faults What happens to each question in turn.
 * @returns A fault to break an endpoint or an issuer with.
 *
 * @example Every other question meets a reset
 * ```ts
 * import { flapping, newTestEndpoint } from "@meowmail/smtpauth/testing";
 *
 * await using endpoint = await newTestEndpoint();
 * await endpoint.break(flapping("reset", "none"));
 * ```
 * @category Testing
 */
export function flapping(...faults: readonly Fault[]): FaultFunction {
  let count = 0;
  return (request) =>
    faultFunction(faults[count++ % faults.length] ?? "none")(request);
}

const encoder = new TextEncoder();

function trickle(
  text: string,
  signal: AbortSignal,
): ReadableStream<Uint8Array> {
  const left = [...text];
  const cancelled = new AbortController();
  return new ReadableStream({
    async pull(controller) {
      await pause(200, AbortSignal.any([signal, cancelled.signal]));
      const octet = left.shift();
      if (octet === undefined) controller.close();
      else controller.enqueue(encoder.encode(octet));
    },
    cancel: () => cancelled.abort(),
  });
}

function brokenOff(): ReadableStream<Uint8Array> {
  let isBegun = false;
  return new ReadableStream({
    pull(controller) {
      if (isBegun) controller.error(new Error("connection reset by peer"));
      else controller.enqueue(encoder.encode(YES.slice(0, 6)));
      isBegun = true;
    },
  });
}

function spaces(): ReadableStream<Uint8Array> {
  const chunk = encoder.encode(" ".repeat(131_072));
  return new ReadableStream({
    pull: (controller) => controller.enqueue(chunk),
  });
}
