/**
 * The connection to Redis or Valkey.
 *
 * @module
 */

import { race } from "../lib/race.ts";

/** How long a server may take to accept a connection, in milliseconds. */
const CONNECT_MS = 1000;

/** How long to wait between two tries, in milliseconds. */
const RECONNECT_MS = 1000;

/**
 * After how long a server that says nothing is taken for one that hangs, and how
 * often it is asked for something, in milliseconds. What has been sent to it is
 * given up then.
 */
const SILENCE_MS = 5000;
const PING_MS = 2000;

/** The most commands that wait for their replies. */
const MAX_COMMANDS = 10_000;

/** A connection that is made again whenever it is lost. */
export interface RedisConnection extends Disposable {
  /** Sends a command; rejects at once while there is no connection. */
  readonly command: (...args: string[]) => Promise<unknown>;
  /** Resolves once it is there, or has failed for the first time. */
  readonly tried: Promise<void>;
}

/**
 * Begins to connect. A server that is away is no error: it is tried again and
 * again.
 *
 * @param url `redis:` or `rediss:`.
 * @param ca A private authority in PEM, in place of the others.
 * @throws {Error} If the client can't be loaded.
 */
export async function connectRedis(
  url: URL,
  ca: string | undefined,
): Promise<RedisConnection> {
  // Loaded only by those who use it.
  const { createClient } = await import("@redis/client");
  const isEncrypted = url.protocol === "rediss:";
  const client = createClient({
    url: url.href,
    RESP: 2,
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_COMMANDS,
    // Commands that a server may forbid, and that nobody here needs.
    disableClientInfo: true,
    maintNotifications: "disabled",
    pingInterval: PING_MS,
    socket: {
      connectTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: () => RECONNECT_MS,
      ...(isEncrypted ? { tls: true, ...(ca ? { ca } : {}) } : {}),
    },
  });
  const { promise: tried, resolve } = Promise.withResolvers<void>();
  let fault: unknown = new Error("not connected yet");
  client.on("error", (error: unknown) => {
    fault = error;
    resolve();
  });
  client.on("ready", () => resolve());
  client.connect().catch((error: unknown) => {
    fault = error;
    resolve();
  });
  return {
    command: (...args) =>
      client.isReady
        ? client.sendCommand<unknown>(args)
        : Promise.reject(fault),
    tried: race(() => tried, { limit: 2 * CONNECT_MS }).then(() => {}),
    [Symbol.dispose]: () => client.destroy(),
  };
}
