/**
 * An HTTP server for those who look after this one: they GET a text, and go. It
 * has nothing that could be held up: one request for each connection, little
 * time, few places.
 *
 * @module
 */

import { type Bound, listen } from "./listen.ts";
import { acceptAll } from "./accept.ts";
import type { HostPort } from "./address.ts";
import { type Conn, endWith, readSome, tryClose } from "./conn.ts";
import {
  formatResponse,
  parseHead,
  readHeadText,
  type RequestHead,
} from "./http_text.ts";
import { newServer, type Server } from "./server.ts";

/** The most octets of a request: its first line and its header fields. */
const MAX_REQUEST_OCTETS = 8_192;

/** How much a server takes upon itself. */
export interface ProbeLimits {
  /** How long a connection may take for everything, in milliseconds. */
  readonly connectionMs: number;
  /** How many connections there may be. Whoever is slowest goes first. */
  readonly maxConnections: number;
}

/** How a server behaves, and who learns what its pages do not tell. */
export interface ProbeOptions {
  /** How much it takes upon itself. Default: little. */
  readonly limits?: ProbeLimits;
  /**
   * Told why a page can't be made, which those who ask for it do not learn:
   * once, and once more if it could be in between.
   */
  readonly onFault?: (path: string, error: unknown) => void;
}

const LIMITS: ProbeLimits = { connectionMs: 5_000, maxConnections: 32 };

/** What is answered. */
export interface ProbeAnswer {
  /** The status: 200, 503. */
  readonly status: number;
  /** The text. */
  readonly body: string;
  /** Its media type. Default: `text/plain; charset=utf-8`. */
  readonly type?: string;
}

/** What there is to GET, by its path. */
export type ProbePages = Readonly<
  Record<string, () => ProbeAnswer | Promise<ProbeAnswer>>
>;

/** A running server. */
export interface ProbeServer extends Server {
  /** Where it is. */
  readonly address: HostPort;
}

/**
 * Serves pages.
 *
 * @param at Where.
 * @param pages What there is to see.
 * @param options How much it takes upon itself, and who learns of faults.
 * @throws {Error} If the port is taken or the system refuses.
 */
export async function serveProbes(
  at: HostPort,
  pages: ProbePages,
  { limits = LIMITS, onFault }: ProbeOptions = {},
): Promise<ProbeServer> {
  const { connectionMs, maxConnections } = limits;
  const told = faultsToldOnce(pages, onFault);
  const bound = await listen(at);
  const served = new Map<Conn, Promise<void>>();
  const accepting = new AbortController();

  async function serve(conn: Conn): Promise<void> {
    const timer = setTimeout(() => tryClose(conn), connectionMs);
    try {
      await talk(conn, told);
    } catch {
      // It has gone, or its time is up.
    } finally {
      clearTimeout(timer);
      tryClose(conn);
      served.delete(conn);
    }
  }

  const cut = () => {
    for (const conn of served.keys()) tryClose(conn);
  };
  const server = newServer({
    accepted: acceptAll({
      accept: bound.accept,
      admit: (conn) => {
        const [first] = served.keys();
        if (served.size >= maxConnections && first !== undefined) {
          tryClose(first);
          served.delete(first);
        }
        served.set(conn, serve(conn));
      },
      // The listener runs out of descriptors too, and says so.
      onFailure: () => {},
      stop: accepting.signal,
    }),
    close: () => {
      accepting.abort();
      bound.close();
    },
    stop: cut,
    cut,
    ended: async () => {
      while (served.size > 0) await Promise.all(served.values());
    },
    signal: undefined,
  });
  return { address: hostPortOf(bound), ...server };
}

/** The same pages; of each it is told once that it fails. */
function faultsToldOnce(
  pages: ProbePages,
  onFault: ProbeOptions["onFault"],
): ProbePages {
  const failing = new Set<string>();
  const watched = (path: string, page: ProbePages[string]) => async () => {
    try {
      const answer = await page();
      failing.delete(path);
      return answer;
    } catch (error) {
      if (!failing.has(path)) onFault?.(path, error);
      failing.add(path);
      return { status: 500, body: "this page has failed\n" };
    }
  };
  return Object.fromEntries(
    Object.entries(pages).map(([path, page]) => [path, watched(path, page)]),
  );
}

function hostPortOf({ address }: Bound): HostPort {
  if ("path" in address) throw new TypeError("a port was asked for");
  return address;
}

/** Reads a request, answers, and waits for the client to leave first. */
async function talk(conn: Conn, pages: ProbePages): Promise<void> {
  const text = await readHeadText(conn, MAX_REQUEST_OCTETS);
  if (text === undefined) return;
  const request = parseHead(text);
  const { status, body, type = PLAIN_TEXT, allow } = text === ""
    ? TOO_LONG
    : request === undefined
    ? NO_REQUEST
    : await answerTo(request, pages);
  const octets = new TextEncoder().encode(body);
  const headers = new Map([
    ["content-type", type],
    ["content-length", `${octets.length}`],
    ["cache-control", "no-store"],
  ]);
  if (allow !== undefined) headers.set("allow", allow);
  const sent = request?.method === "HEAD" ? undefined : body;
  await endWith(conn, formatResponse({ status, headers, body: sent }));
  // What it still says would make the system reset the connection.
  const scrap = new Uint8Array(1_024);
  while (await readSome(conn, scrap) !== null);
}

const PLAIN_TEXT = "text/plain; charset=utf-8";

interface Answer extends ProbeAnswer {
  /** The methods that there are, where it was another one. */
  readonly allow?: string;
}

const TOO_LONG: Answer = { status: 431, body: "too long\n" };

const NO_REQUEST: Answer = { status: 400, body: "no request\n" };

async function answerTo(
  { method, path }: RequestHead,
  pages: ProbePages,
): Promise<Answer> {
  if (!Object.hasOwn(pages, path)) {
    const body = `there is ${Object.keys(pages).join(" and ")}\n`;
    return { status: 404, body };
  }
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, body: "only GET\n", allow: "GET, HEAD" };
  }
  return await pages[path]?.() ?? { status: 404, body: "" };
}
