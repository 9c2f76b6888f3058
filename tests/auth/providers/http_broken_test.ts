// The endpoints are real servers on loopback. Each has a client of its own (see
// http_end.ts), so that no connection outlives its test. One test goes through
// the global `fetch`, as an operator's provider does; its server ends the
// connections.

import { assert, assertEquals } from "../../support/assert.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { ANSWER_LIMIT, longYes } from "../../support/http_answers.ts";
import { newClientFetch, serveHttp } from "../../support/http_end.ts";
import {
  ask,
  causeOf,
  newPatientProvider,
} from "../../support/http_provider_outcome.ts";
import { octetsOf } from "../../support/octets.ts";
import {
  holdRefusedPort,
  type RawConnection,
  serveRaw,
} from "../../support/raw_end.ts";
import { newTestCertificate } from "../../support/tls_certificate.ts";
import { TOO_LARGE, UNREACHABLE, YES } from "../../support/http_outcomes.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

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
