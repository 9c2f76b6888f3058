// The endpoints are real servers on loopback. Each has a client of its own (see
// http_end.ts), so that no connection outlives its test. One test goes through
// the global `fetch`, as an operator's provider does; its server ends the
// connections.

import { assertEquals } from "../../support/assert.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { newClientFetch, serveHttp } from "../../support/http_end.ts";
import {
  ask,
  LONG_MS,
  newPatientProvider,
  SHORT_MS,
} from "../../support/http_provider_outcome.ts";
import { octetsOf } from "../../support/octets.ts";
import { serveRaw } from "../../support/raw_end.ts";
import { spyOnTimers } from "../../support/timer_spy.ts";
import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";
import { GONE, TIMEOUT } from "../../support/http_outcomes.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

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
  const outcomeOf = async (status: number, start: string) => {
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
    return await ask(provider);
  };
  const outcomes = [200, 302, 401, 403, 500].flatMap((status) =>
    ['{"ok":', '{"ok":true}', '{"ok":false}']
      .map((start) => outcomeOf(status, start))
  );
  assertEquals(await Promise.all(outcomes), Array(15).fill(TIMEOUT));
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

Deno.test("newHTTPAuthProvider() does not connect for a client that has gone", async () => {
  await using end = serveRaw((connection) => connection.gone());
  using client = newClientFetch();
  const provider = newPatientProvider(`http://${end.host}/`, client);
  assertEquals(await ask(provider, AbortSignal.abort()), GONE);
  assertEquals(end.connections(), 0);
});

for (
  const [where, said] of [
    ["before the headers", ""],
    [
      "in the body",
      'HTTP/1.1 401 Unauthorized\r\ncontent-length: 100\r\n\r\n{"ok":',
    ],
  ] as const
) {
  Deno.test(`newHTTPAuthProvider() hangs up when the client goes ${where}`, async () => {
    const waiting = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    await using end = serveRaw(async (connection) => {
      await connection.readRequest();
      await connection.send(said);
      waiting.resolve();
      await connection.gone();
      gone.resolve();
    });
    using client = newClientFetch();
    const controller = new AbortController();
    const outcome = ask(
      newPatientProvider(`http://${end.host}/`, client),
      controller.signal,
    );
    await mustHappen(waiting.promise, "the server has been asked");
    controller.abort();
    assertEquals(await outcome, GONE);
    await mustHappen(gone.promise, "the server sees the connection go");
  });
}
