/**
 * A client of Redis of some fifty lines (RESP 2): to look into a server, and for
 * processes that must start at once.
 *
 * @module
 */

import { concat } from "../../lib/octets.ts";

/** A connection. */
export interface RespClient extends Disposable {
  readonly command: (...args: string[]) => Promise<unknown>;
}

/** Connects to a server on loopback. */
export async function connectResp(port: number): Promise<RespClient> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const replies: PromiseWithResolvers<unknown>[] = [];
  const reading = readReplies(conn, replies);
  const encoder = new TextEncoder();
  let written = Promise.resolve();
  return {
    command: (...args) => {
      const parts = args.map((arg) =>
        `$${encoder.encode(arg).length}\r\n${arg}\r\n`
      );
      const octets = encoder.encode(`*${args.length}\r\n${parts.join("")}`);
      const reply = Promise.withResolvers<unknown>();
      replies.push(reply);
      written = written.then(() => writeAll(conn, octets))
        .catch((error) => reply.reject(error));
      return reply.promise;
    },
    [Symbol.dispose]: () => {
      conn.close();
      reading.catch(() => {});
    },
  };
}

async function writeAll(conn: Deno.Conn, octets: Uint8Array): Promise<void> {
  for (let at = 0; at < octets.length;) {
    at += await conn.write(octets.subarray(at));
  }
}

async function readReplies(
  conn: Deno.Conn,
  replies: PromiseWithResolvers<unknown>[],
): Promise<void> {
  let octets = new Uint8Array();
  const space = new Uint8Array(65_536);
  for (;;) {
    const count = await conn.read(space).catch(() => null);
    if (count === null) {
      for (const { reject } of replies) reject(new Error("closed"));
      return;
    }
    octets = concat([octets, space.subarray(0, count)]);
    for (;;) {
      const parsed = parse(octets, 0);
      if (parsed === undefined) break;
      octets = octets.slice(parsed.end);
      const reply = replies.shift();
      if (parsed.value instanceof Error) reply?.reject(parsed.value);
      else reply?.resolve(parsed.value);
    }
  }
}

interface Parsed {
  readonly value: unknown;
  readonly end: number;
}

const decoder = new TextDecoder();

/** Reads one reply; `undefined` if there is more to come. */
function parse(octets: Uint8Array, from: number): Parsed | undefined {
  const lineEnd = octets.indexOf(10, from);
  if (lineEnd < 0) return undefined;
  const line = decoder.decode(octets.subarray(from + 1, lineEnd - 1));
  const end = lineEnd + 1;
  switch (String.fromCharCode(octets[from] ?? 0)) {
    case "+":
      return { value: line, end };
    case "-":
      return { value: new Error(line), end };
    case ":":
      return { value: Number(line), end };
    case "$": {
      const length = Number(line);
      if (length < 0) return { value: null, end };
      if (octets.length < end + length + 2) return undefined;
      const value = decoder.decode(octets.subarray(end, end + length));
      return { value, end: end + length + 2 };
    }
    case "*":
      return parseList(octets, end, Number(line));
    default:
      throw new Error(`This is no reply: ${line}`);
  }
}

function parseList(
  octets: Uint8Array,
  from: number,
  count: number,
): Parsed | undefined {
  const value: unknown[] = [];
  let end = from;
  for (let i = 0; i < count; i++) {
    const parsed = parse(octets, end);
    if (parsed === undefined) return undefined;
    value.push(parsed.value);
    end = parsed.end;
  }
  return { value, end };
}
