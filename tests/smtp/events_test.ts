// Every connection is told of twice at least, by one id: issue 12, 2.

import type { SmtpEvent } from "../../smtp/events.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import type { ServeSmtpOptions } from "../../smtp/options.ts";
import { assertEquals, assertNotEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { SmtpClient } from "../../testing/client.ts";

function serve(
  events: SmtpEvent[],
  options: Partial<ServeSmtpOptions> = {},
  ids: string[] = [],
) {
  return serveSmtp({
    port: 0,
    provider: () => "authOk",
    onEvent: (event) => events.push(event),
    ...options,
  }, {
    begin: ({ id }) => {
      ids.push(id);
      return { message() {} };
    },
  });
}

/** The ids of connections, by kind of event. */
function idsOf(events: readonly SmtpEvent[], kind: SmtpEvent["kind"]) {
  return events.flatMap((event) =>
    event.kind === kind && "id" in event ? [event.id] : []
  );
}

/** Why connections have ended, in this order. */
function endsOf(events: readonly SmtpEvent[]) {
  return events.flatMap((event) =>
    event.kind === "closed" ? [event.reason] : []
  );
}

Deno.test("login, mail and message of a connection have one id, and others another", async () => {
  const events: SmtpEvent[] = [];
  const mails: string[] = [];
  await using server = serve(events, {}, mails);
  for (let i = 0; i < 2; i++) {
    using client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
    await client.login("ann", "secret");
    for (let mail = 0; mail < 2; mail++) {
      await client.envelope();
      await client.send("Hello", ".");
      await client.expect("250");
    }
    await client.command("QUIT", "221");
    await client.expectEnd();
  }
  const [first = "", second = ""] = idsOf(events, "opened");
  assertNotEquals(first, second);
  assertEquals(idsOf(events, "auth"), [first, second]);
  assertEquals(idsOf(events, "message"), [first, first, second, second]);
  assertEquals(mails, [first, first, second, second]);
  assertEquals(idsOf(events, "closed"), [first, second]);
});

Deno.test("STARTTLS is an event, and what follows says so", async () => {
  const events: SmtpEvent[] = [];
  const certificate = await testCertificate();
  await using server = serve(events, certificate);
  using client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
  await client.startTls(certificate.cert);
  await client.command("QUIT", "221");
  await client.expectEnd();
  await server.shutdown();
  assertEquals(
    events.map((event) => "tls" in event && [event.kind, event.tls]),
    [["opened", false], ["secured", true], ["closed", true]],
  );
});

Deno.test("each connection that was opened is closed once, whatever ends it", async () => {
  const events: SmtpEvent[] = [];
  const server = serve(events);
  const port = server.addrs[0]?.port ?? 0;
  const open = () => SmtpClient.greeted(port);
  using quits = await open();
  await quits.command("QUIT", "221");
  await quits.expectEnd();
  using fails = await open();
  await fails.sendRaw("GET / HTTP/1.1\r\n");
  await fails.rest();
  using stays = await open();
  const ended = server.shutdown();
  await stays.expect("421 4.3.2");
  await stays.expectEnd();
  stays.close();
  await ended;
  assertEquals(endsOf(events), ["quit", "http", "shutdown"]);
  assertEquals(idsOf(events, "closed"), idsOf(events, "opened"));
});

Deno.test("a client that leaves is one that has gone", async () => {
  const events: SmtpEvent[] = [];
  const server = serve(events);
  const client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
  await client.closeWrite();
  await client.rest();
  client.close();
  await server.shutdown();
  assertEquals(endsOf(events), ["client-gone"]);
});

Deno.test("who finds no place is told of once, and was not opened", async () => {
  const events: SmtpEvent[] = [];
  await using server = serve(events, { maxConnections: 1 });
  const port = server.addrs[0]?.port ?? 0;
  using _first = await SmtpClient.greeted(port);
  for (let i = 0; i < 2; i++) {
    using client = await SmtpClient.open(port);
    await client.expect("421 4.3.2");
    await client.expectEnd();
  }
  assertEquals(idsOf(events, "opened").length, 1);
  assertEquals(endsOf(events), Array(2).fill("too-many-connections"));
});
