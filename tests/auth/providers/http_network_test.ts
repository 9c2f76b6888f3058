// The endpoints are real servers on loopback. Each has a client of its own (see
// http_end.ts), so that no connection outlives its test. One test goes through
// the global `fetch`, as an operator's provider does; its server ends the
// connections.

import { assertEquals, assertFalse } from "../../support/assert.ts";
import { decisionOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { spyOnConsole } from "../../support/console_spy.ts";
import { ANSWER_HEADERS, ANSWERS } from "../../support/http_answers.ts";
import { newClientFetch, serveHttp } from "../../support/http_end.ts";
import {
  ask,
  newPatientProvider,
} from "../../support/http_provider_outcome.ts";
import { octetsOf } from "../../support/octets.ts";
import { holdRefusedPort, serveRaw } from "../../support/raw_end.ts";
import { newTestCertificate } from "../../support/tls_certificate.ts";
import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";
import { YES } from "../../support/http_outcomes.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("newHTTPAuthProvider() sends exactly the contract's request", async () => {
  await using end = serveHttp(() => Response.json({ ok: true }));
  const request = {
    ...newRequest({
      username: "\u00fcmit",
      password: '"\u732b\\\u{1f431}\u0001',
    }),
    session: "not for the endpoint",
  };
  const provider = newPatientProvider(`${end.url}?from=smtp`, {
    fetch: end.fetch,
    bearerToken: "the-token",
  });
  assertEquals(await decisionOf(provider, request), "authOk");
  assertEquals(end.requests.length, 1);
  const [seen] = end.requests;
  assertEquals(seen?.method, "POST");
  assertEquals(seen?.target, "/may-send?from=smtp");
  assertEquals(seen?.headers.get("content-type"), "application/json");
  assertEquals(seen?.headers.get("accept"), "application/json");
  assertEquals(seen?.headers.get("authorization"), "Bearer the-token");
  assertEquals(JSON.parse(seen?.body ?? ""), {
    username: "\u00fcmit",
    password: '"\u732b\\\u{1f431}\u0001',
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "laptop",
  });
  // The request line and the headers are what proxies log.
  const logged = [seen?.target, ...(seen?.headers ?? [])].join();
  assertFalse(/mit|\u732b|laptop|192\.0\.2\.7/.test(logged), logged);
});

Deno.test("newHTTPAuthProvider() sends no authorization without a token", async () => {
  await using end = serveHttp(() => Response.json({ ok: true }));
  assertEquals(
    await ask(newPatientProvider(end.url, { fetch: end.fetch })),
    YES,
  );
  assertEquals(end.requests.map((r) => r.headers.has("authorization")), [
    false,
  ]);
});

Deno.test("newHTTPAuthProvider() reads every answer of a real server", async () => {
  let row = ANSWERS[0];
  await using end = serveHttp(() =>
    new Response(row?.[1] ?? null, { status: row?.[0] ?? 500 })
  );
  const provider = newPatientProvider(end.url, { fetch: end.fetch });
  for (row of ANSWERS) {
    const [status, body, decision, reason] = row;
    const what = `${status} ${body?.slice(0, 80)} ${body?.length}`;
    assertEquals(await ask(provider), [decision, reason], what);
  }
  assertEquals(end.requests.length, ANSWERS.length, "each was asked for once");
});

Deno.test("newHTTPAuthProvider() ignores the content-type of a real server", async () => {
  for (const headers of ANSWER_HEADERS) {
    await using end = serveHttp(() =>
      new Response(octetsOf('{"ok":true}').slice(), { headers })
    );
    assertEquals(
      await ask(newPatientProvider(end.url, { fetch: end.fetch })),
      YES,
    );
  }
});

Deno.test("newHTTPAuthProvider() reads answers that end in any of HTTP/1's ways", async () => {
  const answers = [
    'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok":true}',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"ok\r\n7\r\n":true}\r\n0\r\n\r\n',
    'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"ok":true}',
    'HTTP/1.0 200 OK\r\n\r\n{"ok":true}',
    'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok":true}',
  ];
  for (const answer of answers) {
    await using end = serveRaw(async (connection) => {
      await connection.readRequest();
      await connection.send(answer);
      connection.close();
    });
    using client = newClientFetch();
    assertEquals(
      await ask(newPatientProvider(`http://${end.host}/`, client)),
      YES,
      JSON.stringify(answer),
    );
  }
});

Deno.test("newHTTPAuthProvider() follows no redirect: the password stays here", async () => {
  await using elsewhere = serveHttp(() => Response.json({ ok: true }));
  for (const status of [300, 301, 302, 303, 307, 308]) {
    for (const body of ['{"ok":true}', '{"ok":false}', null]) {
      await using end = serveHttp((request) =>
        request.target === "/may-send"
          ? new Response(body, { status, headers: { location: elsewhere.url } })
          : Response.json({ ok: true })
      );
      const provider = newPatientProvider(end.url, { fetch: end.fetch });
      assertEquals(
        await ask(provider),
        ["authFailure", "backend-redirect"],
        String(status),
      );
      assertEquals(end.requests.length, 1);
    }
    // Not on the same host either.
    await using loop = serveHttp((request) =>
      request.target === "/may-send"
        ? new Response(null, { status, headers: { location: "/elsewhere" } })
        : Response.json({ ok: true })
    );
    const provider = newPatientProvider(loop.url, { fetch: loop.fetch });
    assertEquals(
      await ask(provider),
      ["authFailure", "backend-redirect"],
      String(status),
    );
    assertEquals(loop.requests.map((r) => r.target), ["/may-send"]);
  }
  assertEquals(elsewhere.requests.length, 0);
});

Deno.test("newHTTPAuthProvider() uses one connection again and again", async () => {
  const answers = [
    () => Response.json({ ok: true }),
    () => Response.json({ ok: false }),
    () => new Response("<h1>Unauthorized</h1>", { status: 401 }),
    () => new Response(null, { status: 403 }),
    () => new Response("x".repeat(30_000), { status: 500 }),
    () => new Response(null, { status: 204 }),
    () => new Response("moved", { status: 302, headers: { location: "/" } }),
    () => new Response("not JSON"),
  ];
  let next = 0;
  await using end = serveHttp(() =>
    (answers[next++ % answers.length] ?? Response.error)()
  );
  const provider = newPatientProvider(end.url, { fetch: end.fetch });
  const controller = new AbortController(); // one signal, as a connection has
  for (let i = 0; i < 20; i++) await ask(provider, controller.signal);
  assertEquals(end.requests.length, 20);
  assertEquals(end.connections(), 1);
});

Deno.test("newHTTPAuthProvider() keeps simultaneous requests apart on the wire", async () => {
  await using end = serveHttp((request) => {
    const { username } = JSON.parse(request.body);
    return Response.json({ ok: Number(username) % 3 === 0 });
  });
  const provider = newPatientProvider(end.url, { fetch: end.fetch });
  const names = Array.from({ length: 30 }, (_, i) => String(i));
  const decisions = await Promise.all(
    names.map((username) => decisionOf(provider, newRequest({ username }))),
  );
  assertEquals(
    decisions,
    names.map((name) => Number(name) % 3 === 0 ? "authOk" : "authInvalid"),
  );
});

Deno.test("newHTTPAuthProvider() uses one connection of the global fetch too", async () => {
  await using end = serveHttp(() => new Response("no", { status: 401 }));
  const provider = newPatientProvider(end.url, {});
  for (let i = 0; i < 20; i++) {
    assertEquals(await ask(provider), ["authInvalid", "wrong-credentials"]);
  }
  assertEquals(end.requests.length, 20);
  assertEquals(end.connections(), 1);
});

Deno.test("newHTTPAuthProvider() writes nothing, however the network fails", async () => {
  using written = spyOnConsole();
  const tls = await newTestCertificate();
  await using untrusted = serveHttp(() => Response.json({ ok: true }), { tls });
  await using html = serveHttp((request) =>
    new Response(request.body, { status: 500 })
  );
  using nobody = await holdRefusedPort();
  await using broken = serveRaw((connection) => connection.reset());
  await using hanging = serveRaw((connection) => connection.gone());
  using client = newClientFetch();
  const urls = [
    untrusted.url,
    html.url,
    `http://${nobody.host}/`,
    `http://${broken.host}/`,
    `http://${hanging.host}/`,
  ];
  for (const url of urls) {
    const options = { ...client, bearerToken: "canary-token", timeoutMs: 200 };
    const request = newRequest({
      username: "canary-user",
      password: "canary-pass",
    });
    assertEquals(
      await decisionOf(newHTTPAuthProvider(url, options), request),
      "authFailure",
      url,
    );
  }
  assertEquals(written.text(), "");
});
