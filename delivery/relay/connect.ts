/**
 * Connecting to the next hop and encrypting the connection, each in its time.
 *
 * @module
 */

import { faultOf } from "../../lib/network_fault.ts";
import type { Conn } from "../../net/conn.ts";
import type { Deadlines } from "../../net/deadlines.ts";
import type { Dialled, Dialler } from "./dialler.ts";
import { RelayError, type RelayReason } from "./failures.ts";

/** How long connecting may take, and so a TLS handshake, in milliseconds. */
const CONNECT_MS = 30_000;

/** What keeps time limits, as far as it is used here. */
export type Watching = Pick<Deadlines, "watch">;

/** What connecting needs. */
export interface Connecting {
  /** Opens connections, and encrypts them. */
  readonly dialler: Dialler;
  /** The clock. */
  readonly deadlines: Watching;
}

/**
 * Opens a connection in plain text.
 *
 * @param signal Gives up when aborted.
 * @throws {RelayError} If there is none in time.
 */
export async function connect(
  { dialler, deadlines }: Connecting,
  signal: AbortSignal,
): Promise<Dialled> {
  const abort = new AbortController();
  const giveUp = () => abort.abort();
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    return await inTime(dialler.connect(abort.signal), deadlines, giveUp);
  } catch (error) {
    throw failed("relay-unreachable", error, "no connection in time");
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

/**
 * Encrypts a connection. Whoever gives up closes it.
 *
 * @throws {RelayError} If the certificate is not good, or nothing is encrypted
 * in time. The connection is closed then.
 */
export async function encrypt(
  { conn, encrypt = cannotEncrypt }: Dialled,
  deadlines: Watching,
): Promise<Conn> {
  try {
    return await inTime(encrypt(), deadlines, () => conn.close());
  } catch (error) {
    throw failed("relay-tls", error, "no TLS handshake in time");
  }
}

function cannotEncrypt(): Promise<never> {
  return Promise.reject(new Error("this connection cannot be encrypted"));
}

/** What work throws that took too long. */
class Late extends Error {}

/** Waits for work that is given up when the time is over. */
async function inTime<T>(
  work: Promise<T>,
  deadlines: Watching,
  giveUp: () => void,
): Promise<T> {
  let late = false;
  const deadline = deadlines.watch({
    expire() {
      late = true;
      giveUp();
    },
  });
  deadline.renew(CONNECT_MS);
  try {
    return await work;
  } catch (error) {
    throw late ? new Late() : error;
  } finally {
    deadline.stop();
  }
}

function failed(
  reason: RelayReason,
  error: unknown,
  late: string,
): RelayError {
  const detail = error instanceof Late ? late : faultOf(error);
  return new RelayError({ reason, detail });
}
