/**
 * What happens on a connection before the session: what is opened (a proxy says
 * who the client is, TLS begins), the silence, the greeting.
 *
 * @module
 */

import type { ClosedReason } from "../auth/events.ts";
import { type Conn, isGone } from "../net/conn.ts";
import type { ConnectionParts } from "./connection_context.ts";
import type { SessionPeer } from "./protocol/actions.ts";
import * as endings from "./protocol/endings.ts";
import type { Ending } from "./protocol/endings.ts";

/** How long a TLS handshake may take at the most, in milliseconds. */
const HANDSHAKE_MS = 30_000;

/** A connection, and what is known about it. */
export interface Opened {
  /** The socket, or what was built upon it. */
  readonly conn: Conn;
  /** Who is at its other end. */
  readonly peer: SessionPeer;
  /** Why the client is not to be served, if that has turned out. */
  readonly refusal?: Ending;
}

/** The connection is to be closed without a word. */
export interface Unopened {
  /** Why; absent where the log knows. */
  readonly reason: ClosedReason | undefined;
}

/** One thing to do before the session. */
export interface PreambleStep {
  /** How long it may take, in milliseconds. */
  readonly limitMs: number;
  /** Does it. */
  readonly work: (
    conn: Conn,
    peer: SessionPeer,
  ) => Promise<Opened | Unopened>;
}

/**
 * Begins TLS.
 *
 * @param encrypt Does so.
 * @param idleTimeoutMs How long a client may be silent, in milliseconds.
 */
export function tlsStep(
  encrypt: (conn: Conn) => Promise<Conn>,
  idleTimeoutMs: number,
): PreambleStep {
  return {
    limitMs: Math.min(HANDSHAKE_MS, idleTimeoutMs),
    work: async (conn, peer) => ({
      conn: await encrypt(conn),
      peer: { ...peer, tls: true },
    }),
  };
}

/**
 * Does all that comes before the session: what is to be opened, the silence,
 * the greeting.
 *
 * @param steps What is to be opened, in order.
 * @param parts The connection's.
 * @param refusal How to end instead of serving the client.
 * @returns Whether there is a session.
 */
export async function runPreamble(
  steps: readonly PreambleStep[],
  parts: ConnectionParts,
  refusal?: Ending,
): Promise<boolean> {
  const { context: { greetingDelayMs }, transport, log } = parts;
  let ending = refusal;
  if (refusal !== undefined) log.closedElsewhere();
  for (const step of steps) {
    const opened = await open(step, parts);
    if (opened === undefined) return false;
    ending ??= opened.refusal;
  }
  if (steps.length > 0) {
    transport.session = transport.session.onPeer(log.peer);
  }
  if (ending === undefined && greetingDelayMs > 0 && !await isSilent(parts)) {
    ending = endings.earlyTalker;
  }
  if (ending === undefined) transport.session.greet();
  else transport.session.end(ending);
  return true;
}

/** Opens one layer of a connection; nothing if that has come to an end. */
export async function open(
  { limitMs, work }: PreambleStep,
  { transport, timer, log }: ConnectionParts,
): Promise<Opened | undefined> {
  timer.begin("preamble", limitMs);
  try {
    const opened = await work(transport.conn, log.peer);
    if ("reason" in opened) {
      if (opened.reason === undefined) log.closedElsewhere();
      else log.closed(opened.reason);
      return undefined;
    }
    transport.conn = opened.conn;
    log.peer = opened.peer;
    if (opened.refusal !== undefined) log.closedElsewhere();
    return opened;
  } catch (error) {
    // Scanners and health checks that only connect are nobody's fault.
    if (!isGone(error)) log.closed("tls-failed", error);
    return undefined;
  }
}

/**
 * Whether the client waits to be greeted, as RFC 5321 section 3.1 wants.
 * Programs that send spam often can't wait.
 */
async function isSilent(
  { context, transport, timer }: ConnectionParts,
): Promise<boolean> {
  const talk = transport.begin();
  const { promise: silence, resolve } = Promise.withResolvers<null>();
  timer.begin("silence", context.greetingDelayMs, () => resolve(null));
  // A client that has gone has not talked; writing to it will tell.
  return await Promise.race([talk.catch(() => null), silence]) === null;
}
