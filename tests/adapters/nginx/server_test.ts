// The command's own port for nginx: one question on each connection, little
// time, few places.

import { newNginxAnswers } from "../../../adapters/nginx/handler.ts";
import { serveNginxAuth } from "../../../adapters/nginx/server.ts";
import type {
  AuthServer,
  SocketServerOptions,
} from "../../../adapters/socket_server.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import type { AuthProvider } from "../../../auth/types.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { connectTo } from "../../support/line_client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const UPSTREAM = { hostname: "127.0.0.1", port: 2526 };

/** A question as nginx 1.22 writes it. */
function question(user: string, ...more: readonly string[]): string {
  return [
    "GET / HTTP/1.0",
    "Host: 127.0.0.1:8026",
    "Auth-Method: plain",
    `Auth-User: ${user}`,
    "Auth-Pass: ca%20ffe+19%25",
    "Auth-Protocol: smtp",
    "Auth-Login-Attempt: 1",
    "Client-IP: 192.0.2.7",
    ...more,
    "\r\n",
  ].join("\r\n");
}

function serve(
  provider: AuthProvider,
  options: SocketServerOptions = {},
): Promise<AuthServer> {
  const { onEvent } = options;
  const answers = newNginxAnswers(provider, {
    upstream: UPSTREAM,
    ...(onEvent === undefined ? {} : { onEvent }),
  });
  return serveNginxAuth(answers, { port: 0, ...options });
}

Deno.test("serveNginxAuth() answers a question and closes, under one id for connection and login", async () => {
  const events: ServerEvent[] = [];
  const asked: string[] = [];
  await using server = await serve(({ username, password }) => {
    asked.push(`${username} ${password}`);
    return "authOk";
  }, { onEvent: (event) => events.push(event) });
  {
    using nginx = await connectTo(server);
    await nginx.send(question("j%c3%b6rg"));
    const answer = await nginx.end();
    assert(answer.startsWith("HTTP/1.1 200 OK\r\n"), answer);
    assert(answer.includes("\r\nauth-status: OK\r\n"), answer);
    assert(answer.includes("\r\nauth-port: 2526\r\n"), answer);
    assert(answer.endsWith("\r\nconnection: close\r\n\r\n"), answer);
  }
  await server.shutdown();
  assertEquals(asked, ["j\u00f6rg ca ffe+19%"]);
  assertEquals(
    events.map((event) => [event.kind, "reason" in event && event.reason]),
    [["opened", false], ["auth", "ok"], ["closed", "quit"]],
  );
  assertEquals(
    new Set(events.map((event) => "id" in event && event.id)).size,
    1,
  );
});

Deno.test("serveNginxAuth() reads no body, and what is no request is told so", async () => {
  await using server = await serve(() => "authInvalid");
  const rows = [
    [question("ann", "Content-Length: 1000000") + "abc", 200],
    ["EHLO client\r\n\r\n", 400],
    ["GET / HTTP/1.0\r\nno field\r\n\r\n", 400],
    [`GET / HTTP/1.0\r\nx: ${"y".repeat(40_000)}`, 431],
  ] as const;
  for (const [text, status] of rows) {
    using client = await connectTo(server);
    await client.send(text);
    const answer = await client.end();
    assert(answer.startsWith(`HTTP/1.1 ${status} `), answer);
  }
});

Deno.test("serveNginxAuth() ends at once with whoever has not asked, and answers whoever has", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
  const server = await serve(async () => {
    ask();
    await decided;
    return "authOk" as const;
  });
  using idle = await connectTo(server);
  using half = await connectTo(server);
  await half.send("GET / HTTP/1.1\r\nHost: x\r\n");
  const body = await connectTo(server);
  await body.send(question("ann", "Content-Length: 1000000") + "abc");
  await mustHappen(asked, "the provider is asked");
  const stopped = server.shutdown();
  assertEquals([await idle.end(), await half.end()], ["", ""]);
  decide();
  assert((await body.end()).includes("auth-status: OK"));
  body[Symbol.dispose]();
  await mustHappen(stopped, "the server ends");
});

Deno.test("serveNginxAuth() has so many places and no more", async () => {
  const closed: unknown[] = [];
  await using server = await serve(() => "authOk", {
    maxConnections: 1,
    onEvent: (event) => {
      if (event.kind === "closed") closed.push(event.reason);
    },
  });
  using _first = await connectTo(server);
  // It may be over before the connection is known to be there.
  await connectTo(server).then((second) => second[Symbol.dispose](), () => {});
  await eventually("the second one is turned away", () => closed.length > 0);
  assertEquals(closed, ["too-many-connections"]);
});
