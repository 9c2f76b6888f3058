// The endpoints are real servers on loopback. Each has a client of its own (see
// http_end.ts), so that no connection outlives its test. One test goes through
// the global `fetch`, as an operator's provider does; its server ends the
// connections.

import { assert, assertEquals, assertFalse } from "../../support/assert.ts";
import { decisionOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { spyOnConsole } from "../../support/console_spy.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import {
  ANSWER_HEADERS,
  ANSWER_LIMIT,
  ANSWERS,
  longYes,
} from "../../support/http_answers.ts";
import { newClientFetch, serveHttp } from "../../support/http_end.ts";
import {
  ask,
  causeOf,
  LONG_MS,
  newPatientProvider,
  SHORT_MS,
} from "../../support/http_provider_outcome.ts";
import { octetsOf } from "../../support/octets.ts";
import {
  holdRefusedPort,
  type RawConnection,
  serveRaw,
} from "../../support/raw_end.ts";
import { spyOnTimers } from "../../support/timer_spy.ts";
import { newTestCertificate } from "../../support/tls_certificate.ts";
import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const UNREACHABLE = ["authFailure", "backend-unreachable"] as const;
const TIMEOUT = ["authFailure", "backend-timeout"] as const;
const TOO_LARGE = ["authFailure", "backend-size"] as const;
const GONE = ["authFailure", "client-gone"] as const;
const YES = ["authOk", "ok"] as const;

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

Deno.test("newHTTPAuthProvider() hangs up on a server that accepts and says nothing", async () => {
  const asked = Promise.withResolvers<string>();
  const gone = Promise.withResolvers<void>();
  await using end = serveRaw(async (connection) => {
    asked.resolve(await connection.readRequest());
    await connection.gone();
    gone.resolve();
  });
  using client = newClientFetch();
  using timers = spyOnTimers();
  const outcome = ask(newPatientProvider(`http://${end.host}/`, client));
  await mustHappen(asked.promise, "the server has been asked");
  timers.strike(LONG_MS);
  assertEquals(await outcome, TIMEOUT);
  await mustHappen(gone.promise, "the server sees the connection go");
});

Deno.test("newHTTPAuthProvider() gives up on headers that stop half-way", async () => {
  await using end = serveRaw(async (connection) => {
    await connection.send("HTTP/1.1 200 OK\r\ncontent-type: appli");
    await connection.gone();
  });
  using client = newClientFetch();
  const provider = newHTTPAuthProvider(`http://${end.host}/`, {
    ...client,
    timeoutMs: SHORT_MS,
  });
  assertEquals(await ask(provider), TIMEOUT);
});

Deno.test("newHTTPAuthProvider() gives up on a TLS handshake that hangs", async () => {
  await using end = serveRaw((connection) => connection.gone());
  using client = newClientFetch();
  const provider = newHTTPAuthProvider(`https://${end.host}/`, {
    ...client,
    timeoutMs: SHORT_MS,
  });
  assertEquals(await ask(provider), TIMEOUT);
});

Deno.test("newHTTPAuthProvider() gives up on a body that hangs, whatever the status", async () => {
  for (const status of [200, 302, 401, 403, 500]) {
    for (const start of ['{"ok":', '{"ok":true}', '{"ok":false}']) {
      await using end = serveRaw(async (connection) => {
        await connection.send(
          `HTTP/1.1 ${status} Whatever\r\ncontent-length: 100\r\n\r\n${start}`,
        );
        await connection.gone();
      });
      using client = newClientFetch();
      const provider = newHTTPAuthProvider(`http://${end.host}/`, {
        ...client,
        timeoutMs: SHORT_MS,
      });
      assertEquals(await ask(provider), TIMEOUT, `${status} ${start}`);
    }
  }
});

Deno.test("newHTTPAuthProvider() hangs up on a body that hangs", async () => {
  const answering = Promise.withResolvers<void>();
  const cancelled = Promise.withResolvers<void>();
  await using end = serveHttp(() =>
    new Response(
      new ReadableStream({
        pull(controller) {
          controller.enqueue(octetsOf('{"ok":true}'));
          answering.resolve();
          return cancelled.promise; // nothing more
        },
        cancel: () => cancelled.resolve(),
      }, { highWaterMark: 0 }),
    )
  );
  using timers = spyOnTimers();
  const outcome = ask(newPatientProvider(end.url, { fetch: end.fetch }));
  await mustHappen(answering.promise, "the answer has begun");
  timers.strike(LONG_MS);
  assertEquals(await outcome, TIMEOUT);
  await mustHappen(cancelled.promise, "the server sees the connection go");
});

/** Ways to break an exchange; what was sent before may be a whole answer. */
const BREAKS:
  readonly (readonly [string, (connection: RawConnection) => Promise<void>])[] =
    [
      ["reset at once", (c) => c.reset()],
      ["closed at once", (c) => Promise.resolve(c.close())],
      ["closed after the request", async (c) => {
        await c.readRequest();
        c.close();
      }],
      ["reset in the headers", async (c) => {
        await c.send(
          'HTTP/1.1 200 OK\r\ncontent-length: 11\r\nx-note: {"ok":true}',
        );
        await c.reset();
      }],
      ["closed in the headers", async (c) => {
        await c.readRequest();
        await c.send("HTTP/1.1 401 Unauthorized\r\ncontent-le");
        c.close();
      }],
      ["reset in the body", async (c) => {
        await c.send(
          'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ok":true}',
        );
        await c.reset();
      }],
      ["closed in the body", async (c) => {
        await c.readRequest();
        await c.send(
          'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"ok":true}',
        );
        c.close();
      }],
      ["closed in the body of a 401", async (c) => {
        await c.readRequest();
        await c.send(
          "HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\nno",
        );
        c.close();
      }],
      ["closed in a chunk", async (c) => {
        await c.readRequest();
        await c.send(
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20\r\n{"ok":true}',
        );
        c.close();
      }],
      ["closed between chunks", async (c) => {
        await c.readRequest();
        await c.send(
          'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nb\r\n{"ok":true}\r\n',
        );
        c.close();
      }],
      ["not HTTP", async (c) => {
        await c.readRequest();
        await c.send("220 mail.example ESMTP\r\n");
        c.close();
      }],
      ["HTTP with a broken length", async (c) => {
        await c.readRequest();
        await c.send(
          'HTTP/1.1 200 OK\r\ncontent-length: eleven\r\n\r\n{"ok":true}',
        );
        c.close();
      }],
    ];

Deno.test("newHTTPAuthProvider() takes a broken connection as authFailure", async () => {
  for (const [what, talk] of BREAKS) {
    await using end = serveRaw(talk);
    using client = newClientFetch();
    const provider = newPatientProvider(`http://${end.host}/`, client);
    assertEquals(await ask(provider), UNREACHABLE, what);
    assert(end.connections() >= 1, what);
  }
});

Deno.test("newHTTPAuthProvider() takes a refused connection as authFailure", async () => {
  using nobody = await holdRefusedPort();
  using client = newClientFetch();
  for (const scheme of ["http", "https"]) {
    const provider = newPatientProvider(`${scheme}://${nobody.host}/`, client);
    assertEquals(await ask(provider), UNREACHABLE, scheme);
  }
});

Deno.test("newHTTPAuthProvider() tells the log the cause", async () => {
  using nobody = await holdRefusedPort();
  const tls = await newTestCertificate();
  await using secure = serveHttp(() => Response.json({ ok: true }), { tls });
  await using plain = serveHttp(() => new Response("no", { status: 404 }));
  await using closing = serveRaw(async (connection) => {
    await connection.readRequest();
    connection.close();
  });
  await using broken = serveRaw(async (connection) => {
    await connection.readRequest();
    await connection.send("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{");
    connection.close();
  });
  await using foreign = serveRaw(async (connection) => {
    await connection.readRequest();
    await connection.send("220 mail.example.org ESMTP\r\n\r\n");
    connection.close();
  });
  using client = newClientFetch();
  const rows = [
    [`http://${nobody.host}/`, client, "refused"],
    ["http://nowhere.invalid/", client, "name not found"],
    [`http://${closing.host}/`, client, "closed"],
    [`http://${broken.host}/`, client, "closed"],
    [`http://${foreign.host}/`, client, "not HTTP"],
    [secure.url, client, "certificate not trusted"],
    [plain.url.replace("http:", "https:"), client, "TLS error"],
    [secure.url.replace("https:", "http:"), client, "not HTTP"],
  ] as const;
  for (const [url, client, detail] of rows) {
    const cause = await causeOf(newPatientProvider(url, client));
    assertEquals(cause, `backend-unreachable ${detail}`, url);
  }
  const statuses = newPatientProvider(plain.url, client);
  assertEquals(await causeOf(statuses), "backend-status 404");
});

Deno.test("newHTTPAuthProvider() takes up again with a server that has come back", async () => {
  let up = false;
  await using end = serveRaw(async (connection) => {
    if (!up) return await connection.reset();
    await connection.readRequest();
    await connection.send(
      'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{"ok":true}',
    );
    connection.close();
  });
  using client = newClientFetch();
  const provider = newPatientProvider(`http://${end.host}/`, client);
  assertEquals(await ask(provider), UNREACHABLE);
  up = true;
  assertEquals(await ask(provider), YES);
});

Deno.test("newHTTPAuthProvider() takes 64 KiB and not one octet more", async () => {
  for (
    const [octets, outcome] of [[ANSWER_LIMIT, YES], [
      ANSWER_LIMIT + 1,
      TOO_LARGE,
    ]] as const
  ) {
    // With a length and without: as chunks, whose sizes the server chooses.
    for (
      const body of [longYes(octets), new Blob([longYes(octets)]).stream()]
    ) {
      await using end = serveHttp(() => new Response(body));
      const provider = newPatientProvider(end.url, { fetch: end.fetch });
      assertEquals(await ask(provider), outcome, String(octets));
    }
  }
});

Deno.test("newHTTPAuthProvider() refuses a body of 10 MB, whatever the status", async () => {
  const body = longYes(10 << 20);
  for (const status of [200, 302, 401, 403, 500]) {
    await using end = serveHttp(() => new Response(body, { status }));
    const provider = newPatientProvider(end.url, { fetch: end.fetch });
    assertEquals(await ask(provider), TOO_LARGE, String(status));
  }
});

Deno.test("newHTTPAuthProvider() stops reading a body that never ends", async () => {
  for (const status of [200, 401]) {
    const cancelled = Promise.withResolvers<void>();
    await using end = serveHttp(() =>
      new Response(
        new ReadableStream({
          pull: (controller) =>
            controller.enqueue(octetsOf(" ".repeat(16_384))),
          cancel: () => cancelled.resolve(),
        }),
        { status },
      )
    );
    const provider = newPatientProvider(end.url, { fetch: end.fetch });
    assertEquals(await ask(provider), TOO_LARGE, String(status));
    await mustHappen(cancelled.promise, "the server sees that nobody reads");
  }
});

/** A text, compressed with gzip. */
async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("newHTTPAuthProvider() counts a compressed body as large as it unpacks", async () => {
  const rows = [
    [longYes(ANSWER_LIMIT), YES],
    [longYes(ANSWER_LIMIT + 1), TOO_LARGE],
    [longYes(20 << 20), TOO_LARGE],
  ] as const;
  for (const [text, outcome] of rows) {
    const packed = await gzip(text);
    assert(packed.length < ANSWER_LIMIT / 2, "small on the wire");
    await using end = serveHttp(() =>
      new Response(packed, { headers: { "content-encoding": "gzip" } })
    );
    const provider = newPatientProvider(end.url, { fetch: end.fetch });
    assertEquals(await ask(provider), outcome, String(text.length));
  }
});

Deno.test("newHTTPAuthProvider() takes a TLS endpoint that it cannot trust as authFailure", async () => {
  const tls = await newTestCertificate();
  await using untrusted = serveHttp(() => Response.json({ ok: true }), { tls });
  const provider = newPatientProvider(untrusted.url, {
    fetch: untrusted.fetch,
  });
  assertEquals(await ask(provider), UNREACHABLE);
  assertEquals(untrusted.requests.length, 0, "the password was not sent");

  // Trusted, the same endpoint answers: it was the certificate and nothing else.
  await using trusted = serveHttp(() => Response.json({ ok: true }), {
    tls,
    client: { caCerts: [tls.cert] },
  });
  assertEquals(
    await ask(newPatientProvider(trusted.url, { fetch: trusted.fetch })),
    YES,
  );
});

Deno.test("newHTTPAuthProvider() takes https where http is spoken as authFailure", async () => {
  await using end = serveHttp(() => Response.json({ ok: true }));
  const provider = newPatientProvider(end.url.replace("http:", "https:"), {
    fetch: end.fetch,
  });
  assertEquals(await ask(provider), UNREACHABLE);
  assertEquals(end.requests.length, 0);
});

Deno.test("newHTTPAuthProvider() does not connect for a client that has gone", async () => {
  await using end = serveRaw((connection) => connection.gone());
  using client = newClientFetch();
  const provider = newPatientProvider(`http://${end.host}/`, client);
  assertEquals(await ask(provider, AbortSignal.abort()), GONE);
  assertEquals(end.connections(), 0);
});

Deno.test("newHTTPAuthProvider() hangs up when the client goes before the headers", async () => {
  const asked = Promise.withResolvers<string>();
  const gone = Promise.withResolvers<void>();
  await using end = serveRaw(async (connection) => {
    asked.resolve(await connection.readRequest());
    await connection.gone();
    gone.resolve();
  });
  using client = newClientFetch();
  const controller = new AbortController();
  const outcome = ask(
    newPatientProvider(`http://${end.host}/`, client),
    controller.signal,
  );
  await mustHappen(asked.promise, "the server has been asked");
  controller.abort();
  assertEquals(await outcome, GONE);
  await mustHappen(gone.promise, "the server sees the connection go");
});

Deno.test("newHTTPAuthProvider() hangs up when the client goes in the body", async () => {
  const answering = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  await using end = serveRaw(async (connection) => {
    await connection.readRequest();
    await connection.send(
      'HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\n{"ok":',
    );
    answering.resolve();
    await connection.gone();
    gone.resolve();
  });
  using client = newClientFetch();
  const controller = new AbortController();
  const outcome = ask(
    newPatientProvider(`http://${end.host}/`, client),
    controller.signal,
  );
  await mustHappen(answering.promise, "the answer has begun");
  controller.abort();
  assertEquals(await outcome, GONE);
  await mustHappen(gone.promise, "the server sees the connection go");
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
