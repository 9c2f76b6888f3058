/**
 * The connections to an HTTP endpoint.
 *
 * @module
 */

import { bareHost } from "../lib/addresses.ts";
import { isTimedOut } from "../lib/race.ts";
import { isOwnMachine, proxyVariableFor } from "./proxy_env.ts";

/**
 * How long a connection is kept without use, in milliseconds. Node and Apache
 * close theirs after five seconds, and firewalls forget them after minutes
 * without a word: we are mostly first.
 */
const IDLE_MS = 4_000;

/**
 * How many clients wait for a request however long none comes; each is some 100
 * KB. After a storm of logins there are more for a while: to make one, and a
 * connection for it, costs more than an answer.
 */
const KEPT = 64;

/** How {@linkcode newHttpConnections} connects. */
export interface HttpConnectionsOptions {
  /** Certificates of private authorities in PEM, beside the usual. */
  readonly caCerts?: readonly string[];
}

type Timer = ReturnType<typeof setTimeout>;

/** A client that waits for a request. */
interface FreeClient {
  readonly client: Deno.HttpClient;
  /** Since when, in milliseconds. */
  readonly since: number;
}

/** A `fetch` with connections of its own. */
export interface HttpConnections extends Disposable {
  /** Does as the global `fetch`, over these connections. */
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Keeps connections so that a dead one costs nobody an answer.
 *
 * Deno's `fetch` asks again, once and on another connection, where one that had
 * been used before is closed or reset without an answer; it does not where the
 * connection was new, so that a request that a server has read and died of is
 * not sent twice. But where its pool holds several that are dead, as after a
 * load balancer has changed sides, the other is dead too. So there is a client
 * for each request under way here, and each keeps one connection: then the
 * other one is always new.
 *
 * One that had been used and breaks after half a head looks the same to `fetch`,
 * so that request is sent a second time too, and never a third. Nothing else
 * does better: a body that is a stream is not sent again for a dead connection
 * either, and takes a third more CPU time; without a pool a request takes 200 µs
 * in place of 113, and TLS a handshake; Deno's `node:http` asks again as well.
 *
 * Where an endpoint is silent until the caller's time is over (a `TimeoutError`
 * aborts the signal), the connections that wait may be dead without a word:
 * they are given up.
 *
 * HTTP/1.1 only: over HTTP/2 all would share one connection, and its fate.
 *
 * @param url Where all requests go.
 * @param options Whom to trust.
 * @throws {TypeError} If a certificate is none.
 */
export function newHttpConnections(
  url: URL,
  options: HttpConnectionsOptions = {},
): HttpConnections {
  const clients = new Clients(url, options.caCerts ?? []);
  return {
    fetch: (input, init) => clients.fetch(input, init),
    [Symbol.dispose]: () => clients.end(),
  };
}

/** The clients, each with one connection, that no request is under way on. */
class Clients {
  readonly #options: Deno.CreateHttpClientOptions;
  /** The last used is the last. */
  readonly #free: FreeClient[] = [];
  #ended = false;
  #sweeping: Timer | undefined;

  constructor(url: URL, caCerts: readonly string[]) {
    const proxy = straightWay(url);
    this.#options = {
      caCerts: [...caCerts],
      http2: false,
      poolMaxIdlePerHost: 1,
      poolIdleTimeout: IDLE_MS,
      ...(proxy === undefined ? {} : { proxy }),
    };
    // The first is made at once: it is the one that finds fault with a
    // certificate.
    if (caCerts.length > 0) this.#put(this.#newClient());
  }

  async fetch(
    ...[input, init]: Parameters<typeof globalThis.fetch>
  ): Promise<Response> {
    // The last used comes first: its connection is the least likely to be dead.
    const client = this.#free.pop()?.client ?? this.#newClient();
    const signal = init?.signal;
    // At once: the next request may be on its way before this one rejects.
    const onAbort = () => isTimedOut(signal) && this.#close(this.#free.length);
    signal?.addEventListener("abort", onAbort);
    try {
      return await fetch(input, { ...init, client });
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#put(client);
    }
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#sweeping);
    this.#close(this.#free.length);
  }

  #newClient(): Deno.HttpClient {
    return Deno.createHttpClient(this.#options);
  }

  #put(client: Deno.HttpClient): void {
    if (this.#ended) return client.close();
    this.#free.push({ client, since: performance.now() });
    if (this.#free.length > KEPT) this.#sweeping ??= this.#sweepLater();
  }

  #sweepLater(): Timer {
    const timer = setTimeout(() => this.#sweep(), IDLE_MS);
    // No program goes on for that alone.
    Deno.unrefTimer(Number(timer));
    return timer;
  }

  /** Closes those that have no connection any more, for want of work. */
  #sweep(): void {
    const before = performance.now() - IDLE_MS;
    const busy = this.#free.findIndex(({ since }) => since > before);
    const idle = busy < 0 ? this.#free.length : busy;
    this.#close(Math.min(idle, this.#free.length - KEPT));
    this.#sweeping = this.#free.length > KEPT ? this.#sweepLater() : undefined;
  }

  /** Closes so many, those that have waited longest first. */
  #close(count: number): void {
    for (const { client } of this.#free.splice(0, Math.max(0, count))) {
      client.close();
    }
  }
}

/**
 * The way to the machine itself past a proxy of the environment: to such a
 * client the endpoint is the "proxy". That is so for `http:` only; over `https:`
 * a proxy gets to see nothing but the tunnel.
 */
function straightWay(url: URL): Deno.Proxy | undefined {
  if (url.protocol !== "http:" || !isOwnMachine(url)) return undefined;
  if (proxyVariableFor(url, permittedVariable) === undefined) return undefined;
  const port = Number(url.port || 80);
  return { transport: "tcp", hostname: bareHost(url.hostname), port };
}

/** What may not be read is not set, as far as anybody can tell. */
function permittedVariable(name: string): string | undefined {
  const permission = { name: "env", variable: name } as const;
  return Deno.permissions.querySync(permission).state === "granted"
    ? Deno.env.get(name)
    : undefined;
}
