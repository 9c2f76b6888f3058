import { newStaticAuthProvider } from "../../auth/providers/static.ts";
import type { AuthRequest } from "../../auth/types.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { serveSmtp, type SmtpServer } from "../../smtp/listener.ts";
import { entryFor, newsOf, withoutIds } from "../support/events.ts";
import type { ServeSmtpOptions } from "../../smtp/options.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import { newTestCertificate } from "../support/tls_certificate.ts";

const HEADER = "PROXY TCP4 192.0.2.7 198.51.100.1 50000 587\r\n";

/** `21 11`, 192.0.2.7 to 198.51.100.1, and a TLV that says "over TLS". */
const OVER_TLS = Uint8Array.from([
  ...[13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x11, 0, 20],
  ...[192, 0, 2, 7, 198, 51, 100, 1, 0xc3, 0x50, 2, 0x4b],
  ...[0x20, 0, 5, 1, 0, 0, 0, 0],
]);

/** `21 31`: a client of the proxy that came through a unix socket. */
const FROM_UNIX = Uint8Array.from([
  ...[13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x21, 0x31, 0, 216],
  ...new Uint8Array(216),
]);

/** `20 00`: a proxy that speaks for itself. */
const LOCAL = Uint8Array.from(
  [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10, 0x20, 0, 0, 0],
);

interface Asked extends AsyncDisposable {
  readonly server: SmtpServer;
  readonly requests: AuthRequest[];
  readonly port: number;
  readonly tlsPort: number;
}

function serve(options: Partial<ServeSmtpOptions>): Asked {
  const requests: AuthRequest[] = [];
  const users = newStaticAuthProvider({ ann: "secret" });
  const server = serveSmtp({
    port: 0,
    ...options,
    provider: (request) => {
      requests.push(request);
      return users(request);
    },
  }, () => {});
  const [plainText, encrypted] = server.addrs;
  return {
    server,
    requests,
    port: plainText?.port ?? 0,
    tlsPort: encrypted?.port ?? 0,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const FROM_HERE = { proxyProtocolFrom: ["127.0.0.0/8"] };

Deno.test("a proxy's header says who the client is, in whatever packets it comes", async () => {
  await using asked = serve({ ...FROM_HERE, allowInsecureAuth: true });
  const login = `EHLO x\r\nAUTH PLAIN ${plain("ann", "secret")}\r\nQUIT\r\n`;
  for (const packets of [[HEADER + login], [...HEADER, login]]) {
    using client = await SmtpClient.open(asked.port);
    for (const packet of packets) await client.sendRaw(packet);
    await client.expect("220", "250", "235", "221");
    await client.expectEnd();
  }
  assertEquals(
    asked.requests.map(({ remoteIp }) => remoteIp),
    ["192.0.2.7", "192.0.2.7"],
  );
});

Deno.test("a proxy's client is not greeted before the header is complete", async () => {
  await using asked = serve(FROM_HERE);
  using client = await SmtpClient.open(asked.port);
  await client.sendRaw(HEADER.slice(0, -1));
  using other = await SmtpClient.open(asked.port);
  await other.sendRaw(HEADER);
  await other.expect("220");
  await client.sendRaw("\n");
  await client.expect("220");
});

Deno.test("what is no header is closed without a word", async () => {
  await using asked = serve(FROM_HERE);
  for (const start of ["EHLO x\r\n", "PROXY TCP9\r\n", HEADER.slice(1)]) {
    using client = await SmtpClient.open(asked.port);
    await client.sendRaw(start);
    assertEquals(await client.rest(), "");
  }
});

Deno.test("a connection from elsewhere than the proxies is closed without a word", async () => {
  await using asked = serve({ proxyProtocolFrom: ["192.0.2.0/24"] });
  using client = await SmtpClient.open(asked.port);
  await client.sendRaw(HEADER);
  assertEquals(await client.rest(), "");
});

Deno.test("the log hears of who is no proxy, and nothing of a health check", async () => {
  const events: SmtpEvent[] = [];
  const onEvent = (event: SmtpEvent) => events.push(event);
  await using asked = serve({ ...FROM_HERE, onEvent });
  await using others = serve({ proxyProtocolFrom: ["192.0.2.0/24"], onEvent });
  for (
    const [port, start] of [
      [asked.port, ""],
      [asked.port, HEADER.slice(0, 20)],
      [asked.port, "EHLO x\r\n"],
      [others.port, HEADER],
    ] as const
  ) {
    using client = await SmtpClient.open(port);
    await client.sendRaw(start);
    await client.closeWrite();
    assertEquals(await client.rest(), "");
  }
  (await SmtpClient.open(asked.port)).close();
  await Promise.all([asked.server.shutdown(), others.server.shutdown()]);
  const told = {
    kind: "closed",
    via: "smtp",
    remoteIp: "127.0.0.1",
    tls: false,
  } as const;
  const news = newsOf(events);
  assertEquals(withoutIds(news), [
    { ...told, reason: "proxy-malformed" },
    { ...told, reason: "proxy-untrusted" },
  ]);
  assertEquals(news.map((event) => entryFor(event).level), ["warn", "warn"]);
  const opened = events.filter(({ kind }) => kind === "opened");
  const closed = events.filter(({ kind }) => kind === "closed");
  assertEquals([opened.length, closed.length], [5, 5]);
});

Deno.test("AUTH behind a proxy depends on how the client has reached the proxy", async () => {
  await using asked = serve(FROM_HERE);
  const localClient = "PROXY TCP4 127.0.0.1 127.0.0.1 50000 587\r\n";
  for (
    const [header, status] of [
      [OVER_TLS, "235"],
      [localClient, "235"],
      [HEADER, "538"],
      [LOCAL, "235"],
      [FROM_UNIX, "235"],
      ["PROXY UNKNOWN\r\n", "538"],
    ] as const
  ) {
    using client = await SmtpClient.open(asked.port);
    await client.sendRaw(header);
    await client.expect("220");
    await client.command("EHLO x", "250");
    await client.login("ann", "secret", status);
  }
});

Deno.test("a proxy that ends TLS itself is not offered STARTTLS", async () => {
  await using asked = serve({ ...FROM_HERE, ...await testCertificate() });
  using client = await SmtpClient.open(asked.port);
  await client.sendRaw(OVER_TLS);
  await client.expect("220");
  const { lines } = await client.command("EHLO x", "250");
  assertEquals(lines.includes("STARTTLS"), false);
  assertEquals(lines.includes("AUTH PLAIN LOGIN"), true);
});

Deno.test("a proxy's header comes before TLS on the port for implicit TLS", async () => {
  const certificate = await testCertificate();
  await using asked = serve({ ...FROM_HERE, ...certificate, tlsPort: 0 });
  using client = await SmtpClient.open(asked.tlsPort);
  await client.sendRaw(HEADER);
  await client.beginTls(certificate.cert);
  await client.expect("220");
  await client.command("EHLO x", "250");
  await client.login("ann", "secret");
  assertEquals(asked.requests[0]?.remoteIp, "192.0.2.7");
});

Deno.test("maxConnectionsPerNetwork counts the clients behind a proxy", async () => {
  await using asked = serve({ ...FROM_HERE, maxConnectionsPerNetwork: 1 });
  using first = await SmtpClient.open(asked.port);
  await first.sendRaw(HEADER);
  await first.expect("220");
  using second = await SmtpClient.open(asked.port);
  await second.sendRaw(HEADER.replace("192.0.2.7", "192.0.2.8"));
  await second.expect("421 4.3.2");
  await second.expectEnd();
  using elsewhere = await SmtpClient.open(asked.port);
  await elsewhere.sendRaw(HEADER.replace("192.0.2.7", "192.0.3.7"));
  await elsewhere.expect("220");
  await first.command("QUIT", "221");
  await first.expectEnd();
  using third = await SmtpClient.open(asked.port);
  await third.sendRaw(HEADER);
  await third.expect("220");
});

Deno.test("maxConnectionsPerNetwork counts clients that never begin TLS", async () => {
  const certificate = await testCertificate();
  const events: SmtpEvent[] = [];
  await using asked = serve({
    ...FROM_HERE,
    ...certificate,
    tlsPort: 0,
    maxConnectionsPerNetwork: 3,
    onEvent: (event) => events.push(event),
  });
  const open = async () => {
    const client = await SmtpClient.open(asked.tlsPort);
    await client.sendRaw(HEADER);
    return client;
  };
  using clients = new DisposableStack();
  const others = await Promise.all(Array.from({ length: 3 }, open));
  others.forEach((client) => clients.use(client));
  // What is over the limit is told so, for as many as that costs little for.
  using next = await open();
  await next.beginTls(certificate.cert);
  await next.expect("421 4.3.2");
  await next.expectEnd();
  const more = await Promise.all(Array.from({ length: 101 }, open));
  more.forEach((client) => clients.use(client));
  using last = await open();
  assertEquals(await last.rest(), "");
  assertEquals(
    newsOf(events).map((event) => event.kind === "closed" ? event.reason : ""),
    ["too-many-connections"],
  );
  others.forEach((client) => client.close());
  await eventually("a place is free", async () => {
    using patient = await open();
    try {
      await patient.beginTls(certificate.cert);
      return (await patient.reply()).status === "220";
    } catch {
      return false;
    }
  });
});

Deno.test("greetingDelayMs refuses a client that talks before it is greeted", async () => {
  await using asked = serve({ greetingDelayMs: 200 });
  using early = await SmtpClient.open(asked.port);
  using patient = await SmtpClient.open(asked.port);
  await early.send("EHLO x");
  await early.expect("554 5.5.0");
  await early.expectEnd();
  await patient.expect("220");
  await patient.command("EHLO x", "250");
  await patient.login("ann", "secret");
  await patient.command("QUIT", "221");
});

Deno.test("greetingDelayMs bears a client that leaves at once", async () => {
  await using asked = serve({ greetingDelayMs: 200 });
  (await SmtpClient.open(asked.port)).close();
  using patient = await SmtpClient.open(asked.port);
  await patient.expect("220");
});

Deno.test("SmtpServer.useCertificate() changes what new clients see, and no open connection", async () => {
  const [old, next] = [await testCertificate(), await newTestCertificate()];
  await using asked = serve({ ...old, tlsPort: 0 });
  using implicit = await SmtpClient.open(asked.tlsPort, { trusted: old.cert });
  await implicit.expect("220");
  using upgraded = await SmtpClient.greeted(asked.port);
  await upgraded.startTls(old.cert);

  asked.server.useCertificate(next);
  for (const client of [implicit, upgraded]) {
    await client.command("EHLO x", "250");
    await client.login("ann", "secret");
  }
  using newUpgraded = await SmtpClient.greeted(asked.port);
  await newUpgraded.startTls(next.cert);
  await newUpgraded.command("NOOP", "250");
  using newImplicit = await SmtpClient.open(asked.tlsPort, {
    trusted: next.cert,
  });
  await newImplicit.expect("220");
});

Deno.test("SmtpServer.useCertificate() keeps the old pair if the new one is bad", async () => {
  const [old, next] = [await testCertificate(), await newTestCertificate()];
  await using asked = serve({ ...old, tlsPort: 0 });
  for (
    const bad of [
      { cert: "no certificate", key: next.key },
      { cert: next.cert, key: "no key" },
      { cert: next.cert, key: old.key },
    ]
  ) {
    assertThrows(() => asked.server.useCertificate(bad), Error);
    using client = await SmtpClient.open(asked.tlsPort, { trusted: old.cert });
    await client.expect("220");
  }
});

Deno.test("SmtpServer.useCertificate() wants a listener that has one", async () => {
  const certificate = await testCertificate();
  await using asked = serve({});
  assertThrows(
    () => asked.server.useCertificate(certificate),
    TypeError,
    "there is none",
  );
});
