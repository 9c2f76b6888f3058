/**
 * HTTP/1 as much as a server needs that answers one short request on each
 * connection, and reads no body (RFC 9112).
 *
 * @module
 */

import { type Conn, readSome } from "./conn.ts";

/** A request without its body. */
export interface RequestHead {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Headers;
}

/** What is answered. */
export interface ResponseParts {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  /** The body, if it is to be sent. */
  readonly body?: string | undefined;
}

/**
 * Reads a request up to its empty line.
 *
 * @param maxOctets The most that is read.
 * @returns The octets as Latin-1; `""` if there are too many; nothing if the
 * client has gone before the end.
 */
export async function readHeadText(
  conn: Conn,
  maxOctets: number,
): Promise<string | undefined> {
  const space = new Uint8Array(maxOctets);
  for (let length = 0; length < space.length;) {
    const count = await readSome(conn, space.subarray(length));
    if (count === null) return undefined;
    length += count;
    const text = latin1(space.subarray(0, length));
    const [head] = /^[^]*?\r?\n\r?\n/.exec(text) ?? [];
    if (head !== undefined) return head;
  }
  return "";
}

/** An octet is a character: TextDecoder's Latin-1 is another one. */
function latin1(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

/** Reads what {@linkcode readHeadText} has read; nothing if it is no request. */
export function parseHead(text: string): RequestHead | undefined {
  const [first = "", ...lines] = text.trimEnd().split(/\r?\n/);
  const [, method, path] =
    /^([A-Z]+) (\/[^ ?#]*)[^ ]* HTTP\/1\.[01]$/.exec(first) ?? [];
  if (method === undefined || path === undefined) return undefined;
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):[ \t]*(.*?)[ \t]*$/
      .exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    if (/[\0\r]/.test(value)) return undefined;
    headers.append(name, value);
  }
  return { method, path, headers };
}

/** A whole answer; it says that the connection ends behind it. */
export function formatResponse(
  { status, headers, body = "" }: ResponseParts,
): Uint8Array<ArrayBuffer> {
  const fields = [...headers, ["connection", "close"]]
    .map(([name, value]) => `${name}: ${value}`);
  const head = [`HTTP/1.1 ${status} ${STATUS_WORDS[status] ?? ""}`, ...fields];
  return new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`);
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
