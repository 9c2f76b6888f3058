/**
 * A token endpoint under the name that it has in the world: programs come to it
 * through a proxy that `HTTPS_PROXY` names, and trust its certificate.
 *
 * @module
 */

import { temporaryFolder } from "./listener.ts";
import { serveTcp, type TcpEnd } from "./raw_end.ts";
import { newTestCertificate } from "./tls_certificate.ts";

/** A running endpoint. */
export interface TokenHost extends AsyncDisposable {
  /** What a program needs in its environment to come here. */
  readonly env: Readonly<Record<string, string>>;
  /** Each request so far: method, URL, content type and body. */
  readonly requests: readonly string[];
}

/** Starts one for a host on port 443. */
export async function serveTokenHost(
  host: string,
  answer: () => Response,
): Promise<TokenHost> {
  await using cleanUp = new AsyncDisposableStack();
  const certificate = await newTestCertificate(1, `DNS:${host}`);
  const requests: string[] = [];
  const endpoint = cleanUp.use(Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...certificate },
    async (request) => {
      const { method, url, headers } = request;
      const type = headers.get("content-type") ?? "";
      requests.push([method, url, type, await request.text()].join(" "));
      return answer();
    },
  ));
  const proxy = cleanUp.use(serveProxy(`${host}:443`, endpoint.addr.port));
  const folder = temporaryFolder(cleanUp);
  Deno.writeTextFileSync(`${folder}/ca.pem`, certificate.cert);
  const ending = cleanUp.move();
  return {
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`,
      DENO_CERT: `${folder}/ca.pem`,
    },
    requests,
    [Symbol.asyncDispose]: () => ending.disposeAsync(),
  };
}

/** A proxy that knows one host (RFC 9110 section 9.3.6). */
function serveProxy(host: string, port: number): TcpEnd {
  return serveTcp((conn) => tunnel(conn, host, port));
}

async function tunnel(
  client: Deno.TcpConn,
  host: string,
  port: number,
): Promise<void> {
  const space = new Uint8Array(4_096);
  const count = await client.read(space) ?? 0;
  const request = new TextDecoder().decode(space.subarray(0, count));
  if (!request.startsWith(`CONNECT ${host} HTTP/1.1\r\n`)) {
    // Deno's own, if it looks for a newer version.
    return client.close();
  }
  const server = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
  // Whoever ends first ends both.
  await Promise.allSettled([
    client.readable.pipeTo(server.writable),
    server.readable.pipeTo(client.writable),
  ]);
}
