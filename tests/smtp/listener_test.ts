import { askProvider } from "../../auth/ask_provider.ts";
import { AuthDecision, type AuthRequest } from "../../auth/types.ts";
import { newStaticAuthProvider } from "../../auth/providers/static.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { listenSmtp, serveSmtp, type SmtpServer } from "../../smtp/listener.ts";
import type { ServeSmtpOptions, SmtpAddress } from "../../smtp/options.ts";
import type { Deliver } from "../../smtp/delivery.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { hasIPv6 } from "../support/ipv6.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

const OPTIONS: ServeSmtpOptions = {
  port: 0,
  provider: newStaticAuthProvider({ ann: "secret" }),
};

/** Takes every message and throws it away. */
const sink: Deliver = () => {};

function portOf(server: SmtpServer): number {
  return server.addrs[0]?.port ?? 0;
}

async function loggedIn(server: SmtpServer): Promise<SmtpClient> {
  const client = await SmtpClient.greeted(portOf(server));
  await client.login("ann", "secret");
  return client;
}

Deno.test("serveSmtp() says where it listens", async () => {
  const heard: SmtpAddress[] = [];
  const certificate = await testCertificate();
  await using server = serveSmtp({
    ...OPTIONS,
    ...certificate,
    tlsPort: 0,
    onListen: (address) => heard.push(address),
  }, sink);
  assertEquals(heard, [...server.addrs]);
  assertEquals(
    server.addrs.map(({ transport, hostname, tls }) => [
      transport,
      hostname,
      tls,
    ]),
    [["tcp", "127.0.0.1", false], ["tcp", "127.0.0.1", true]],
  );
  assert(server.addrs.every(({ port }) => port > 0));
});

Deno.test("listenSmtp() resolves to a listener that serves, and rejects with what serveSmtp() throws", async () => {
  await using server = await listenSmtp(OPTIONS, sink);
  using client = await loggedIn(server);
  await client.command("QUIT", "221");
  const port = portOf(server);
  await assertRejects(
    () => listenSmtp({ ...OPTIONS, port }, sink),
    Deno.errors.AddrInUse,
  );
  await assertRejects(
    () => listenSmtp({ ...OPTIONS, port: -1 }, sink),
    RangeError,
  );
});

Deno.test("serveSmtp() hands over envelope and body, and reports both events", async () => {
  const messages: [SmtpMessage["envelope"], string][] = [];
  const events: SmtpEvent[] = [];
  await using server = serveSmtp({
    ...OPTIONS,
    onEvent: (event) => events.push(event),
  }, async ({ envelope, body }) => {
    messages.push([envelope, await new Response(body).text()]);
    return { code: 250, enhanced: "2.0.0", text: "Queued as 1" };
  });
  using client = await loggedIn(server);
  await client.envelope("a@example.com", ["b@example.org"], " BODY=8BITMIME");
  await client.send("Hello", "..", "world", ".");
  assertEquals((await client.expect("250 2.0.0")).lines, ["Queued as 1"]);
  await client.command("QUIT", "221");
  await client.expectEnd();

  assertEquals(messages, [[{
    sender: "a@example.com",
    recipients: ["b@example.org"],
    parameters: { body: "8BITMIME" },
    user: "ann",
    remoteIp: "127.0.0.1",
    heloName: "client.example.net",
    esmtp: true,
    tls: false,
  }, "Hello\r\n.\r\nworld\r\n"]]);
  await server.shutdown();
  const [opened] = events;
  assert(opened?.kind === "opened");
  const remoteIp = "127.0.0.1";
  const from = { via: "smtp", id: opened.id, remoteIp, tls: false } as const;
  const timeless = events.map((event) =>
    event.kind === "auth" ? { ...event, milliseconds: 0 } : event
  );
  assertEquals(timeless, [{ kind: "opened", ...from }, {
    kind: "auth",
    ...from,
    outcome: "ok",
    code: 235,
    reason: "ok",
    mechanism: "PLAIN",
    username: "ann",
    milliseconds: 0,
  }, {
    kind: "message",
    ...from,
    code: 250,
    text: "Queued as 1",
    username: "ann",
    sender: "a@example.com",
    recipients: 1,
    refusedRecipients: 0,
    octets: 17,
  }, { kind: "closed", reason: "quit", ...from }]);
});

Deno.test({
  name:
    "serveSmtp() on all addresses asks with plain IPv4 and the EHLO name as it was said",
  ignore: !hasIPv6(),
  async fn() {
    const requests: AuthRequest[] = [];
    await using server = serveSmtp({
      port: 0,
      hostname: "::",
      provider: (request) => {
        requests.push(request);
        return "authOk";
      },
    }, () => {});
    const port = server.addrs[0]?.port ?? 0;
    for (const hostname of ["127.0.0.1", "::1"]) {
      using client = await SmtpClient.open(port, { hostname });
      await client.expect("220");
      await client.command("EHLO [IPv6:2001:DB8::1] b\u00fccher (x)", "250");
      // The local address is loopback in IPv4 too: plain text may be used.
      await client.login("ann", "secret", "235");
    }
    const heloName = "[IPv6:2001:DB8::1] b\u00fccher (x)";
    assertEquals(
      requests.map((request) => [request.remoteIp, request.heloName]),
      [["127.0.0.1", heloName], ["::1", heloName]],
    );
  },
});

Deno.test("serveSmtp() answers 451 when deliver throws, and tells the log why", async () => {
  const events: SmtpEvent[] = [];
  await using server = serveSmtp({
    ...OPTIONS,
    onEvent: (event) => events.push(event),
  }, () => {
    throw new Error("the disk has gone");
  });
  using client = await loggedIn(server);
  await client.envelope();
  await client.send("Hello", ".");
  const { lines } = await client.expect("451 4.3.0");
  assert(!lines.join().includes("disk"));
  const last = events.at(-1);
  assert(last?.kind === "message");
  assertEquals([last.code, last.error], [451, "Error: the disk has gone"]);
});

Deno.test("serveSmtp() slows a client down whose message nobody reads", async () => {
  const { promise: reading, resolve: read } = Promise.withResolvers<void>();
  await using server = serveSmtp(OPTIONS, async ({ body }) => {
    await reading;
    await body.pipeTo(new WritableStream());
  });
  using client = await loggedIn(server);
  await client.envelope();
  const line = `${"x".repeat(998)}\r\n`;
  let sent = false;
  // More than the sockets' own buffers hold.
  const sending = client.sendRaw(`${line.repeat(20_000)}.\r\n`)
    .then(() => sent = true);
  // The listener takes commands of others meanwhile, and still has not read on.
  using other = await SmtpClient.greeted(portOf(server));
  await other.command("NOOP", "250");
  assertEquals(sent, false);
  read();
  await sending;
  await client.expect("250 2.0.0");
});

Deno.test("SmtpServer.shutdown() tells idle clients, and lets transactions end", async () => {
  const server = serveSmtp(OPTIONS, sink);
  using idle = await SmtpClient.greeted(portOf(server));
  using busy = await loggedIn(server);
  await busy.command("MAIL FROM:<a@example.com>", "250");
  const shutdown = server.shutdown();
  await idle.expect("421 4.3.2");
  await idle.expectEnd();
  idle.close();
  await busy.command("RCPT TO:<b@example.com>", "250");
  await busy.command("DATA", "354");
  await busy.send("Hello", ".");
  await busy.expect("250 2.0.0", "421 4.3.2");
  await busy.expectEnd();
  busy.close();
  await shutdown;
  await server.finished;
  await server.shutdown();
});

Deno.test("ServeSmtpOptions.signal ends everything at once", async () => {
  const stop = new AbortController();
  const server = serveSmtp({ ...OPTIONS, signal: stop.signal }, sink);
  using busy = await loggedIn(server);
  await busy.command("MAIL FROM:<a@example.com>", "250");
  stop.abort();
  await busy.expect("421 4.3.2");
  await busy.expectEnd();
  busy.close();
  await server.finished;
});

Deno.test("ServeSmtpOptions.signal that is aborted already leaves nothing open", async () => {
  const server = serveSmtp({ ...OPTIONS, signal: AbortSignal.abort() }, sink);
  await server.finished;
});

Deno.test("a provider of serveSmtp() hears of a client that resets", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal>();
  await using server = serveSmtp({
    port: 0,
    provider: (request, signal) => {
      if (signal !== undefined) ask(signal);
      return askProvider(() => new Promise(() => {}), request, signal);
    },
  }, sink);
  const client = await SmtpClient.greeted(portOf(server));
  // Unread replies make the kernel reset the connection.
  await client.send("NOOP", `AUTH PLAIN ${plain("ann", "secret")}`);
  const signal = await asked;
  const aborted = new Promise((resolve) =>
    signal.addEventListener("abort", resolve, { once: true })
  );
  client.close();
  await aborted;
});

Deno.test("serveSmtp() answers all that was sent before the client closed its half", async () => {
  await using server = serveSmtp({
    port: 0,
    provider: async () => {
      await new Promise((resolve) => setTimeout(resolve));
      return AuthDecision.authOk;
    },
  }, sink);
  using client = await SmtpClient.open(portOf(server));
  await client.send(
    "EHLO x",
    `AUTH PLAIN ${plain("ann", "secret")}`,
    "NOOP",
    "QUIT",
  );
  await client.closeWrite();
  await client.expect("220", "250", "235", "250", "221");
  await client.expectEnd();
});

Deno.test("serveSmtp() refuses options that make no sense", async () => {
  const { cert, key } = await testCertificate();
  for (
    const [options, kind, text] of [
      [{ port: -1 }, RangeError, "port must be an integer from 0 to 65535"],
      [{ port: 2.5 }, RangeError, "port must be"],
      [{ tlsPort: 465 }, TypeError, "tlsPort needs cert and key"],
      [{ cert }, TypeError, "cert and key must come together"],
      [{ key }, TypeError, "cert and key must come together"],
      [{ maxSize: 0 }, RangeError, "maxSize must be"],
      [{ maxConnections: NaN }, RangeError, "maxConnections must be"],
      [{ maxAuthFailures: 0 }, RangeError, "maxAuthFailures must be"],
      [{ idleTimeoutMs: 0 }, RangeError, "idleTimeoutMs must be"],
      [{ serverName: "a b" }, TypeError, "serverName must be a host name"],
      [{ serverName: "a\r\nb" }, TypeError, "serverName must be a host name"],
    ] as const
  ) {
    const error = assertThrows(
      () => serveSmtp({ ...OPTIONS, ...options }, sink),
      kind,
    );
    assertStringIncludes(error.message, `Cannot serve SMTP: ${text}`);
  }
});

Deno.test("serveSmtp() throws at once when the port is taken or the certificate is none", async () => {
  await using server = serveSmtp(OPTIONS, sink);
  assertThrows(
    () => serveSmtp({ ...OPTIONS, port: portOf(server) }, sink),
    Deno.errors.AddrInUse,
  );
  const { key } = await testCertificate();
  assertThrows(() => serveSmtp({ ...OPTIONS, cert: "no", key }, sink), Error);
});
