import type { SmtpEvent } from "../../smtp/events.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import type { ServeSmtpOptions } from "../../smtp/options.ts";
import type { Envelope } from "../../smtp/protocol/envelope.ts";
import { withSendingLimits } from "../../smtp/sending_limits.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const LOOPBACK = ["127.0.0.0/8"];
const MAIL = "MAIL FROM:<printer@example.org>";
const RCPT = "RCPT TO:<bob@example.net>";

/** A listener that wants a login, but from some networks. */
function start(
  trustedNetworks: readonly string[],
  options: Partial<ServeSmtpOptions> = {},
  messagesPerMinute = 0,
) {
  const events: SmtpEvent[] = [];
  const envelopes: Envelope[] = [];
  const server = serveSmtp(
    {
      port: 0,
      provider: () => "authOk",
      trustedNetworks,
      onEvent: (event) => events.push(event),
      ...options,
    },
    withSendingLimits(async ({ envelope, body }) => {
      envelopes.push(envelope);
      await new Response(body).arrayBuffer();
    }, { messagesPerMinute }),
  );
  const port = server.addrs[0]?.port ?? 0;
  const marks = () =>
    events.flatMap((event) =>
      event.kind === "message" ? [[event.trusted, event.username]] : []
    );
  return {
    port,
    envelopes,
    marks,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

async function send(client: SmtpClient): Promise<string> {
  await client.send(MAIL, RCPT, "DATA");
  await client.expect("250", "250", "354");
  await client.send("hello", ".");
  return (await client.reply()).status;
}

Deno.test("serveSmtp() takes mail from a trusted network without a login, and marks it", async () => {
  await using setting = start(["192.0.2.1", ...LOOPBACK]);
  using client = await SmtpClient.greeted(setting.port);
  assertEquals(await send(client), "250 2.0.0");
  // Who can log in does: then it is the user's mail.
  await client.login("ann", "secret");
  assertEquals(await send(client), "250 2.0.0");
  await client.command("QUIT", "221");
  assertEquals(
    setting.envelopes.map(({ trusted, user }) => [trusted, user]),
    [[true, undefined], [undefined, "ann"]],
  );
  assertEquals(setting.marks(), [[true, undefined], [undefined, "ann"]]);
});

Deno.test("serveSmtp() wants a login from everybody else", async () => {
  await using setting = start(["192.0.2.0/24", "::1"]);
  using client = await SmtpClient.greeted(setting.port);
  await client.command(MAIL, "530 5.7.0");
  await client.login("ann", "secret");
  assertEquals(await send(client), "250 2.0.0");
  await client.command("QUIT", "221");
  assertEquals(setting.marks(), [[undefined, "ann"]]);
});

Deno.test("serveSmtp() does not mark what needs no login from anybody", async () => {
  await using setting = start([], { requireAuth: false });
  using client = await SmtpClient.greeted(setting.port);
  assertEquals(await send(client), "250 2.0.0");
  await client.command("QUIT", "221");
  assertEquals(setting.marks(), [[undefined, undefined]]);
});

Deno.test("serveSmtp() trusts whom a proxy names, and not the proxy", async () => {
  const trusted = ["198.51.100.0/24", "2001:db8::/32", ...LOOPBACK];
  await using setting = start(trusted, { proxyProtocolFrom: LOOPBACK });
  for (
    const [header, status] of [
      ["TCP4 198.51.100.7 192.0.2.1 40000 587", "250 2.1.0"],
      ["TCP6 2001:db8::7 2001:db8::1 40000 587", "250 2.1.0"],
      ["TCP4 203.0.113.7 192.0.2.1 40000 587", "530 5.7.0"],
      ["UNKNOWN", "530 5.7.0"],
    ] as const
  ) {
    using client = await SmtpClient.open(setting.port);
    await client.send(`PROXY ${header}`, "EHLO printer.example.org");
    await client.expect("220", "250");
    await client.command(MAIL, status);
    await client.command("QUIT", "221");
  }
});

Deno.test("serveSmtp() trusts a network after STARTTLS, too", async () => {
  const certificate = await testCertificate();
  const { cert, key } = certificate;
  await using setting = start(LOOPBACK, { cert, key });
  using client = await SmtpClient.greeted(setting.port);
  await client.command("STARTTLS", "220");
  await client.beginTls(cert);
  await client.command("EHLO printer.example.org", "250");
  assertEquals(await send(client), "250 2.0.0");
  await client.command("QUIT", "221");
  assertEquals(setting.marks(), [[true, undefined]]);
});

Deno.test("serveSmtp() lets a trusted client say as much as it likes", async () => {
  await using setting = start(LOOPBACK);
  using client = await SmtpClient.greeted(setting.port);
  await client.send(...Array.from({ length: 150 }, () => "NOOP"));
  await client.expect(...Array.from({ length: 150 }, () => "250"));
  await client.command("QUIT", "221");
});

Deno.test("withSendingLimits() counts a trusted client by its address", async () => {
  await using setting = start(LOOPBACK, {}, 1);
  using client = await SmtpClient.greeted(setting.port);
  assertEquals(await send(client), "250 2.0.0");
  await client.send(MAIL, RCPT, "RSET");
  await client.expect("250", "451 4.7.1", "250");
  // What the address has sent is not the user's.
  await client.login("ann", "secret");
  assertEquals(await send(client), "250 2.0.0");
  await client.command("QUIT", "221");
});

Deno.test("serveSmtp() refuses networks that are none", () => {
  assertThrows(
    () => start(["127.0.0.1/33"]),
    TypeError,
    "Cannot serve SMTP: trustedNetworks must be networks such as 192.0.2.0/24: " +
      "got 127.0.0.1/33",
  );
});
