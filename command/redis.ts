/**
 * The connection to Redis or Valkey.
 *
 * @module
 */

import { race } from "../lib/race.ts";
import { repeatsSecret } from "../lib/secret_text.ts";
import { newTimeLimit } from "../lib/time_limit.ts";

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

/**
 * How long the reply to a command may take, in milliseconds: four times what
 * anybody waits for. Replies have no names, only an order: where one is missing,
 * each later one passes for that of the command before.
 */
const REPLY_MS = 1000;

/** How long it may take until commands can be sent, in milliseconds. */
const READY_MS = CONNECT_MS + SILENCE_MS;

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
  const newClient = () =>
    createClient({
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
        // Its own pause before the next try cannot be ended.
        reconnectStrategy: false,
        ...(isEncrypted ? { tls: true, ...(ca ? { ca } : {}) } : {}),
      },
    });
  const password = decodeURIComponent(url.password);
  const connection = new Reconnected(newClient, password);
  return {
    command: (...args) => connection.command(args),
    tried: race(() => connection.tried, { limit: 2 * CONNECT_MS })
      .then(() => {}),
    [Symbol.dispose]: () => connection.end(),
  };
}

/** What is needed of the package's client. */
interface Client {
  readonly isReady: boolean;
  on(event: "error" | "end", listener: (error?: unknown) => void): unknown;
  connect(): Promise<unknown>;
  sendCommand(args: readonly string[]): Promise<unknown>;
  destroy(): void;
}

/** One client after the other, each for one connection. */
class Reconnected {
  readonly #newClient: () => Client;
  readonly #password: string;
  readonly #tried = Promise.withResolvers<void>();
  #client: Client | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fault: unknown = new Error("not connected yet");
  readonly #limit = newTimeLimit(REPLY_MS);

  constructor(newClient: () => Client, password: string) {
    this.#newClient = newClient;
    this.#password = password;
    this.#connect();
  }

  /** Resolves once the first client is connected, or is not. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  async command(args: readonly string[]): Promise<unknown> {
    const client = this.#client;
    if (!client?.isReady) throw this.#fault;
    const sent = await race(() => client.sendCommand(args), {
      limit: this.#limit,
    });
    if (sent.kind === "done") return sent.value;
    if (sent.kind !== "broken") {
      this.#lost(client, new Error("no reply in time"));
    }
    // What waits when the connection is lost is only told that it is.
    const isOwn = sent.kind === "broken" && client === this.#client;
    throw isOwn ? withoutSecret(sent.error, this.#password) : this.#fault;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#drop();
  }

  #connect(): void {
    const client = this.#newClient();
    this.#client = client;
    const lost = (error?: unknown) => this.#lost(client, error);
    client.on("error", lost);
    client.on("end", lost);
    race(() => client.connect(), { limit: READY_MS }).then((connected) => {
      if (connected.kind === "done") return this.#tried.resolve();
      const isLate = connected.kind !== "broken";
      lost(isLate ? new Error("not ready in time") : connected.error);
    });
  }

  #lost(client: Client, error: unknown): void {
    if (client !== this.#client) return;
    this.#fault = error === undefined
      ? new Error("the connection is closed")
      : withoutSecret(error, this.#password);
    this.#drop();
    this.#timer = setTimeout(() => this.#connect(), RECONNECT_MS);
    this.#tried.resolve();
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    // One that is closed has timers still.
    client?.destroy();
  }
}

/** How a server ends that does not know a command: with what came behind it. */
const REPEATED = /,? with args beginning with:.*$/s;

/** An error in the server's words, less the password that they may repeat. */
function withoutSecret(error: unknown, password: string): unknown {
  if (!(error instanceof Error)) return error;
  const words = error.message.replace(REPEATED, "");
  if (repeatsSecret(words, password)) {
    return new Error("an error that repeats the password");
  }
  return words === error.message ? error : new Error(words);
}
