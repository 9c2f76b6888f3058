/**
 * HTTP endpoints on loopback, on ports that the system chooses.
 *
 * @module
 */

/** A request as the endpoint has received it, whole. */
export interface SeenRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly body: string;
}

/** A running HTTP server and a client for it alone. */
export interface HttpEnd extends AsyncDisposable {
  /** Where it is, with a path: `http://127.0.0.1:…/may-send`. */
  readonly url: string;
  /** Every request so far. */
  readonly requests: readonly SeenRequest[];
  /** How many connections the requests have come on. */
  readonly connections: () => number;
  /** `fetch` over a client of this endpoint's own. */
  readonly fetch: typeof globalThis.fetch;
}

/** How {@linkcode serveHttp} serves. */
export interface HttpEndOptions {
  /** Serve TLS with this certificate and key. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** How the client is made, such as whom it trusts. */
  readonly client?: Deno.CreateHttpClientOptions;
}

/** Starts a server that answers as told; disposing ends it and its client. */
export function serveHttp(
  answer: (request: SeenRequest) => Response | Promise<Response>,
  options: HttpEndOptions = {},
): HttpEnd {
  const requests: SeenRequest[] = [];
  const ports = new Set<number>();
  const stop = new AbortController();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: stop.signal,
    onListen: () => {},
    ...options.tls,
  }, async (request, info) => {
    ports.add(info.remoteAddr.port);
    const url = new URL(request.url);
    const seen: SeenRequest = {
      method: request.method,
      target: url.pathname + url.search,
      headers: request.headers,
      body: await request.text(),
    };
    requests.push(seen);
    return await answer(seen);
  });
  const client = newClientFetch(options.client);
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    url: `${scheme}://127.0.0.1:${server.addr.port}/may-send`,
    requests,
    connections: () => ports.size,
    fetch: client.fetch,
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      stop.abort();
      await server.finished;
    },
  };
}

/** `fetch` with connections of its own, closed when disposed. */
export interface ClientFetch extends Disposable {
  readonly fetch: typeof globalThis.fetch;
}

/**
 * Makes a `fetch` that shares no connections with other tests.
 *
 * The global one keeps connections in a pool that nobody can close. The
 * sanitizers do not see it, but a test would: the system gives a port of an
 * ended server to the next one, and the pool has connections to the old.
 */
export function newClientFetch(
  options: Deno.CreateHttpClientOptions = {},
): ClientFetch {
  const client = Deno.createHttpClient(options);
  return {
    fetch: (input, init) => fetch(input, { ...init, client }),
    [Symbol.dispose]: () => client.close(),
  };
}
