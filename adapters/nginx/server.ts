/**
 * A server for nginx's questions: one on each connection, as nginx asks them.
 *
 * @module
 */

import { type Conn, endWith, readSome, tryClose } from "../../net/conn.ts";
import {
  formatResponse,
  parseHead,
  readHeadText,
} from "../../net/http_text.ts";
import {
  type AuthServer,
  openSocketServer,
  type SocketContext,
  type SocketServerOptions,
} from "../socket_server.ts";

/** The most octets of a question: nginx takes no longer lines from clients. */
const MAX_QUESTION_OCTETS = 32_768;

/**
 * How long a question may take to arrive, and a client to leave once it has its
 * answer, in milliseconds: nginx is on the same machine.
 */
const CLIENT_MS = 5_000;

/** Who answers: {@linkcode newNginxAnswers}. */
export type NginxAnswers = (
  request: { readonly headers: Headers },
  id: string,
) => Promise<Response>;

/**
 * Serves nginx's questions.
 *
 * @param answers Answers one.
 * @param options Where to listen, and the limits.
 * @returns The running server, once its port is bound.
 * @throws {Error} What the system says if the port can't be had.
 */
export function serveNginxAuth(
  answers: NginxAnswers,
  options: SocketServerOptions,
): Promise<AuthServer> {
  const talk = (conn: Conn, context: SocketContext) =>
    answerOne(conn, answers, context);
  const kind = { name: "nginx", action: "serve nginx auth", talk } as const;
  return openSocketServer(kind, options);
}

async function answerOne(
  conn: Conn,
  answers: NginxAnswers,
  { id, ends, stop }: SocketContext,
): Promise<void> {
  const text = await inTime(conn, () => ends("idle"), async () => {
    const onStop = () => tryClose(conn);
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
    const text = await readHeadText(conn, MAX_QUESTION_OCTETS);
    stop.removeEventListener("abort", onStop);
    return text;
  });
  if (text === undefined) return;
  const question = parseHead(text);
  const { status, headers } = question === undefined
    ? new Response(null, { status: text === "" ? 431 : 400 })
    : await answers(question, id);
  headers.set("content-length", "0");
  await inTime(conn, () => {}, async () => {
    if (await said(conn, formatResponse({ status, headers }))) {
      ends(question === undefined ? "bad-protocol" : "quit");
    }
    // What it still says would make the system reset the connection.
    const scrap = new Uint8Array(1_024);
    while (await readSome(conn, scrap) !== null);
  });
}

/** Closes a connection whose client takes too long. */
async function inTime<T>(
  conn: Conn,
  onLate: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => {
    onLate();
    tryClose(conn);
  }, CLIENT_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/** Says the last there is to say; tells whether somebody was there for it. */
async function said(conn: Conn, octets: Uint8Array): Promise<boolean> {
  try {
    await endWith(conn, octets);
    return true;
  } catch {
    return false;
  }
}
