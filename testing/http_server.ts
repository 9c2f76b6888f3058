/**
 * HTTP/1.1 on loopback, by hand: so that it can break in every way.
 *
 * @module
 */

import { concat } from "../lib/octets.ts";
import { race } from "../lib/race.ts";
import { type Conn, endWith, tryClose, writeAll } from "../net/conn.ts";
import { listenTcp } from "../net/tcp_socket.ts";
import { BrokenConnection } from "./faults.ts";

/** Answers a request, or throws a {@linkcode BrokenConnection}. */
export type Handle = (request: Request) => Promise<Response>;

/** A server on loopback. */
export interface TestHttpServer extends AsyncDisposable {
  /** Where it is: `http://127.0.0.1:…`. */
  readonly origin: string;
  /** Closes the port and all connections. */
  stop(): void;
  /** Opens the same port again. */
  start(): Promise<void>;
}

/** Serves HTTP at any free port. */
export async function serveHTTP(handle: Handle): Promise<TestHttpServer> {
  const conns = new Set<Conn>();
  const running = new Set<Promise<void>>();
  let bound = await listenTcp("127.0.0.1", 0);
  const { port } = bound;
  let listening = true;

  const serve = (conn: Conn) => {
    conns.add(conn);
    const served = converse(conn, handle).finally(() => {
      tryClose(conn);
      conns.delete(conn);
      running.delete(served);
    });
    running.add(served);
  };
  const accept = async () => {
    for (;;) serve(await bound.accept());
  };
  const stop = () => {
    if (listening) bound.close();
    listening = false;
    conns.forEach(tryClose);
  };
  // It ends when the port is closed.
  accept().catch(() => {});
  return {
    origin: `http://127.0.0.1:${port}`,
    stop,
    async start() {
      if (listening) return;
      bound = await listenTcp("127.0.0.1", port);
      listening = true;
      accept().catch(() => {});
    },
    async [Symbol.asyncDispose]() {
      stop();
      await Promise.all(running);
    },
  };
}

/** Answers what comes on a connection, one request after the other. */
async function converse(conn: Conn, handle: Handle): Promise<void> {
  const input = new Input(conn);
  try {
    for (;;) {
      const gone = new AbortController();
      const request = await input.request(gone.signal);
      if (request === undefined) return;
      input.watch(() => gone.abort());
      const raced = await race(() => handle(request), { signal: gone.signal });
      if (raced.kind === "broken") return await breakOff(conn, raced.error);
      if (raced.kind !== "done") return;
      await send(conn, raced.value);
    }
  } catch {
    // The client has gone, as it may.
  }
}

async function breakOff(conn: Conn, error: unknown): Promise<void> {
  if (!(error instanceof BrokenConnection)) {
    return await send(conn, new Response(null, { status: 500 }));
  }
  const octets = Uint8Array.from(error.octets, (unit) => unit.charCodeAt(0));
  if (error.by === "close") await endWith(conn, octets);
  else conn.close();
}

const encoder = new TextEncoder();

async function send(conn: Conn, response: Response): Promise<void> {
  const { status, headers, body } = response;
  const framing = body === null
    ? status === 204 || status === 304 ? "" : "content-length: 0\r\n"
    : "transfer-encoding: chunked\r\n";
  const fields = [...headers].filter(([name]) => name !== "content-length")
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const head = `HTTP/1.1 ${status} -\r\n${fields}${framing}\r\n`;
  await writeAll(conn, encoder.encode(head));
  if (body === null) return;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    const size = encoder.encode(`${chunk.length.toString(16)}\r\n`);
    await writeAll(conn, concat([size, chunk, encoder.encode("\r\n")]));
  }
  await writeAll(conn, encoder.encode("0\r\n\r\n"));
}

/** What a client sends. */
class Input {
  readonly #conn: Conn;
  #octets: Uint8Array = new Uint8Array();
  #reading: Promise<boolean> | undefined;

  constructor(conn: Conn) {
    this.#conn = conn;
  }

  /** The next request; `undefined` once the client has no more. */
  async request(signal: AbortSignal): Promise<Request | undefined> {
    let head: string[] | undefined;
    while ((head = this.#head()) === undefined) {
      if (!await this.#more()) return undefined;
    }
    const [line = "", ...fields] = head;
    const [method = "GET", target = "/"] = line.split(" ");
    const headers = new Headers();
    for (const field of fields) {
      const [, name = "", value = ""] = /^([^:]*):\s*(.*)$/.exec(field) ?? [];
      headers.append(name, value);
    }
    const length = Number(headers.get("content-length") ?? 0);
    while (this.#octets.length < length) {
      if (!await this.#more()) return undefined;
    }
    const body = this.#take(length).slice();
    const url = `http://${headers.get("host")}${target}`;
    const isBodyless = method === "GET" || method === "HEAD";
    return new Request(url, {
      method,
      headers,
      signal,
      ...isBodyless ? {} : { body },
    });
  }

  /** Tells if the client leaves while it is to wait. */
  watch(onGone: () => void): void {
    this.#more().then((isMore) => isMore || onGone(), onGone);
  }

  /** The lines of a head, once it is whole. */
  #head(): string[] | undefined {
    const text = new TextDecoder("latin1").decode(this.#octets);
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    this.#take(end + 4);
    return text.slice(0, end).split("\r\n");
  }

  #take(count: number): Uint8Array {
    const taken = this.#octets.subarray(0, count);
    this.#octets = this.#octets.subarray(count);
    return taken;
  }

  /** Reads; false at the end. One read at a time, whoever waits for it. */
  #more(): Promise<boolean> {
    this.#reading ??= this.#read().finally(() => this.#reading = undefined);
    return this.#reading;
  }

  async #read(): Promise<boolean> {
    const space = new Uint8Array(4096);
    const count = await this.#conn.read(space);
    if (count === null) return false;
    this.#octets = concat([this.#octets, space.subarray(0, count)]);
    return true;
  }
}
