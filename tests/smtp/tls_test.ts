import type { SmtpEvent } from "../../smtp/events.ts";
import type { Deliver } from "../../smtp/delivery.ts";
import { serveSmtp, type SmtpServer } from "../../smtp/listener.ts";
import type { ServeSmtpOptions } from "../../smtp/options.ts";
import { entryFor, newsOf } from "../support/events.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { OLD_HELLO } from "../support/old_hello.ts";
import {
  misbehave,
  type Ports,
  reach,
  type WayIn,
  WAYS_IN,
} from "../support/ways_in.ts";

/** Those with TLS. */
const TLS_WAYS = WAYS_IN.filter((way) => way !== "plain text");

/** The alert of that name (RFC 8446 section 6). */
const HANDSHAKE_FAILURE = "\x15\x03\x03\0\x02\x02\x28";

interface Served extends Ports, AsyncDisposable {
  readonly server: SmtpServer;
}

async function serve(
  way: WayIn,
  options: Partial<ServeSmtpOptions>,
  deliver: Deliver = () => {},
): Promise<Served> {
  const server = serveSmtp({
    provider: () => "authOk",
    requireAuth: false,
    port: 0,
    tlsPort: 0,
    ...await testCertificate(),
    ...way === "implicit TLS behind PROXY"
      ? { proxyProtocolFrom: ["127.0.0.0/8"] }
      : {},
    ...options,
  }, deliver);
  const [port = 0, tlsPort = 0] = server.addrs.map(({ port }) => port);
  return {
    server,
    port,
    tlsPort,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

for (const way of TLS_WAYS) {
  Deno.test(`serveSmtp() hears of an end inside a record, whoever keeps the message waiting: ${way}`, async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: ready, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: lost, resolve: lose } = Promise.withResolvers<SmtpEvent>();
    await using served = await serve(
      way,
      { onEvent: (event) => event.kind === "message" && lose(event) },
      async (message) => {
        begin();
        await ready;
        for await (const _ of message.body);
      },
    );
    using client = await reach(served, way, "DATA");
    await begun;
    client.endInside();
    await client.cutOff();
    goOn();
    const event = await mustHappen(lost, "the message is lost");
    assertEquals(event.kind, "message");
    await client.over();
  });
}

for (const way of TLS_WAYS) {
  Deno.test(`serveSmtp() tells an old client so by an alert, and the log in words: ${way}`, async () => {
    const events: SmtpEvent[] = [];
    await using served = await serve(way, {
      onEvent: (event) => events.push(event),
    });
    using client = await reach(served, way, "handshake");
    client.send(OLD_HELLO);
    await client.hears(HANDSHAKE_FAILURE);
    await client.over();
    const [event, ...others] = newsOf(events);
    assert(event !== undefined && event.kind === "closed");
    assertEquals(
      [event.reason, event.error],
      [
        "tls-failed",
        "the client offers no TLS 1.2 " +
        "(peer is incompatible: SignatureAlgorithmsExtensionRequired)",
      ],
    );
    assertEquals(entryFor(event).level, "warn");
    assertEquals(others, []);
  });

  Deno.test(`serveSmtp() tells the log nothing of who only connects: ${way}`, async () => {
    const events: SmtpEvent[] = [];
    const server = await serve(way, { onEvent: (event) => events.push(event) });
    for (const manners of ["resets", "ends in mid-record"] as const) {
      using client = await reach(server, way, "handshake");
      await misbehave(client, "handshake", manners);
      if (manners !== "resets") await client.over();
    }
    (await reach(server, way, "handshake"))[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    assertEquals(newsOf(events), []);
  });
}
