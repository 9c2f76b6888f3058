/**
 * The saslauthd protocol as a server: Cyrus SASL asks it, and with it Postfix,
 * and Exim by `${if saslauthd`.
 *
 * @module
 */

import { AUTH_REPLIES } from "../../auth/replies.ts";
import type { AuthRequest } from "../../auth/types.ts";
import { type Conn, readSome, tryClose, writeAll } from "../../net/conn.ts";
import { askInTime, unaskedEvent } from "../ask.ts";
import {
  type AuthServerContext,
  type AuthServerOptions,
  openAuthServer,
} from "../auth_server.ts";
import type { AuthServer } from "../socket_server.ts";
import type { AuthEvent } from "../../auth/events.ts";
import {
  formatSaslauthdAnswer,
  MAX_REQUEST_OCTETS,
  readSaslauthdRequest,
  type SaslauthdRequest,
} from "./protocol.ts";

/** How long a request may take to arrive, in milliseconds. */
const REQUEST_MS = 5_000;

/**
 * Serves the protocol of Cyrus saslauthd, so that Postfix with Cyrus SASL and
 * every Exim ask a provider about their logins.
 *
 * The protocol knows yes and no. A temporary failure is a connection that
 * closes without an answer: 454 in Postfix, 435 in Exim. The mechanism is
 * always `PLAIN`, `heloName` is `""`, and so is `remoteIp` with most versions
 * of the library. A user name and a realm are joined again by `@`.
 *
 * @param options Where to listen, who decides, and the limits. The library
 * only speaks over unix sockets, so there should be a `path`.
 * @returns The running server, once its socket is bound.
 * @throws {TypeError} If options do not fit together, such as a path and a
 * port.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Error} When the path is that of another server's socket or of a
 * file that is no socket, or what the system says.
 *
 * @example Postfix with `saslauthd_path: /run/smtpauth/mux`
 * ```ts
 * import { newStaticAuthProvider, serveSaslauthd } from "@meowmail/smtpauth";
 *
 * const folder = await Deno.makeTempDir(); // /run/smtpauth
 * await using server = await serveSaslauthd({
 *   path: `${folder}/mux`,
 *   provider: newStaticAuthProvider({ ann: "secret" }),
 * });
 * console.log("listening on", server.addrs);
 * ```
 * @category Other mail servers
 */
export function serveSaslauthd(
  options: AuthServerOptions,
): Promise<AuthServer> {
  return openAuthServer(
    { name: "saslauthd", action: "serve saslauthd", talk },
    options,
  );
}

/** Answers the one request of a connection. */
async function talk(conn: Conn, context: AuthServerContext): Promise<void> {
  const { report, ends, id } = context;
  const read = await readRequest(conn, context);
  switch (read.kind) {
    case "more":
      return;
    case "bad":
      return ends("bad-protocol");
    case "late":
      return ends("idle");
    case "impossible":
      report({ ...impossibleEvent(read), id });
      await answer(conn, "NO");
      return ends("quit");
    case "request":
      return await decide(conn, read, context);
    default:
      read satisfies never;
  }
}

/** Reads until the request is whole; `more` if the client has left before. */
async function readRequest(
  conn: Conn,
  { stop }: AuthServerContext,
): Promise<SaslauthdRequest | { readonly kind: "late" }> {
  const space = new Uint8Array(MAX_REQUEST_OCTETS);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    tryClose(conn);
  }, REQUEST_MS);
  const onStop = () => tryClose(conn);
  stop.addEventListener("abort", onStop, { once: true });
  if (stop.aborted) onStop();
  let length = 0;
  try {
    for (;;) {
      const count = await readSome(conn, space.subarray(length));
      if (count === null) return { kind: late ? "late" : "more" };
      length += count;
      const read = readSaslauthdRequest(space.subarray(0, length));
      if (read.kind !== "more") return read;
    }
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}

/** Asks while watching whether the connection still stands. */
async function decide(
  conn: Conn,
  { request }: { readonly request: AuthRequest },
  context: AuthServerContext,
): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  const watching = watch(conn, abort);
  const asked = await askInTime(request, { ...context, signal });
  context.report(asked.event);
  const { decision } = asked.result;
  if (decision === "authOk") await answer(conn, "OK");
  if (decision === "authInvalid") await answer(conn, "NO");
  // One who has gone has had no answer to close behind.
  const isGone = signal.aborted;
  tryClose(conn);
  if (!isGone) {
    context.ends(decision === "authFailure" ? "temporary-failure" : "quit");
  }
  await watching;
}

/**
 * Aborts when the connection breaks. Its end alone is none: the request is
 * whole, and whoever closes the sending half, as scripts do, still reads.
 */
async function watch(conn: Conn, abort: AbortController): Promise<void> {
  // Whatever comes behind the request means nothing to anybody.
  const scrap = new Uint8Array(1024);
  try {
    while (await conn.read(scrap) !== null);
  } catch {
    abort.abort();
  }
}

/** Says the one word of a connection, and that it was the last. */
async function answer(conn: Conn, word: "OK" | "NO"): Promise<void> {
  try {
    await writeAll(conn, formatSaslauthdAnswer(word));
    await conn.closeWrite();
  } catch {
    // Nobody waits for it.
  }
}

/** `NO` is a wrong password, whatever is wrong with it. */
function impossibleEvent(
  { error: { reason }, remoteIp }: SaslauthdRequest & { kind: "impossible" },
): Omit<AuthEvent, "id"> {
  const why = { code: AUTH_REPLIES.invalid.code, reason };
  return unaskedEvent("saslauthd", why, { mechanism: "PLAIN", remoteIp });
}
