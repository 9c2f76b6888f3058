import { newHTTPDelivery } from "../../../delivery/http/delivery.ts";
import type { SmtpEvent } from "../../../smtp/events.ts";
import { serveSmtp } from "../../../smtp/listener.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
} from "../../support/assert.ts";
import { serveRawHttp } from "../../support/http_delivery.ts";
import { SmtpClient } from "../../../testing/client.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** A listener that hands its mail to an endpoint which a test plays. */
function start() {
  const end = serveRawHttp();
  const deliver = newHTTPDelivery({ url: end.url });
  const events: SmtpEvent[] = [];
  const server = serveSmtp({
    port: 0,
    provider: () => "authOk",
    maxSize: 200_000,
    onEvent: (event) => events.push(event),
  }, deliver);
  const client = async () => {
    const client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
    await client.login("ann", "pw");
    await client.envelope();
    return client;
  };
  return {
    end,
    client,
    errors: () =>
      events.flatMap((event) => event.kind === "message" ? [event.error] : []),
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
      deliver[Symbol.dispose]();
      await end[Symbol.asyncDispose]();
    },
  };
}

/** The end of a form, and of a request in pieces. */
const END = /--\r\n|\r\n0\r\n/;

Deno.test("a client that leaves in DATA never becomes a whole form", async () => {
  await using listener = start();
  using client = await listener.client();
  await client.send("Subject: x", "", "half a mess");
  const connection = await listener.end.accept();
  await connection.received(/half a mess/);
  client[Symbol.dispose]();
  await connection.gone;
  assertNotMatch(connection.text(), END);
});

Deno.test("a message that is too large never becomes a whole form", async () => {
  await using listener = start();
  using client = await listener.client();
  await client.send("Subject: x", "", ...new Array(300).fill("x".repeat(998)));
  const connection = await listener.end.accept();
  await connection.gone;
  await client.send(".");
  await client.expect("552");
  assertNotMatch(connection.text(), END);
});

Deno.test("a client reads the endpoint's refusal behind its own dot, however early that came", async () => {
  await using listener = start();
  using client = await listener.client();
  await client.send("Subject: x", "", "text");
  const connection = await listener.end.accept();
  await connection.received(/text/);
  await connection.send("HTTP/1.1 422 No\r\ncontent-length: 0\r\n\r\n");
  await connection.gone;
  await client.send("more", ".", "NOOP");
  await client.expect("554", "250");
  assertNotMatch(connection.text(), /more/);
});

Deno.test("a client reads 451 where the endpoint fails, and the log why", async () => {
  await using listener = start();
  using client = await listener.client();
  await client.send("Subject: x", "", "text", ".");
  const connection = await listener.end.accept();
  await connection.received(END);
  await connection.send("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n");
  const { lines } = await client.expect("451");
  assertEquals(lines, ["Message could not be stored, try later"]);
  const [error] = listener.errors();
  assert(error !== undefined);
  assertMatch(error, /the endpoint cannot take mail: it answers 503$/);
});
