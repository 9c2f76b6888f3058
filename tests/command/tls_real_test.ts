import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { PASSWORD, startListener, USER } from "../support/listener.ts";
import { onlyMessageIn, withoutTrace } from "../support/maildir.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import { openTlsClient } from "../support/tls_client.ts";
import { events, loggedIn } from "../support/listener_session.ts";

Deno.test("main.ts with a certificate neither offers nor takes AUTH in plain text", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  const { lines } = await client.command("EHLO client.example.net", "250");
  assert(lines.includes("STARTTLS"));
  assert(!lines.some((line) => line.startsWith("AUTH")));
  await client.login(USER, PASSWORD, "538 5.7.11");
  await client.command("AUTH LOGIN", "538 5.7.11");
  await client.command("MAIL FROM:<>", "530 5.7.0");
  await client.startTls(certificate.cert);
  await client.command("MAIL FROM:<>", "530 5.7.0");
  const greeting = await client.command("EHLO client.example.net", "250");
  assert(!greeting.lines.includes("STARTTLS"));
  assert(greeting.lines.includes("AUTH PLAIN LOGIN"));
  await client.login(USER, PASSWORD);
});

for (const version of ["TLS 1.2", "TLS 1.3"] as const) {
  for (const starttls of [true, false]) {
    const way = starttls ? "STARTTLS" : "implicit TLS";
    Deno.test(`main.ts takes a message over ${way} with ${version}`, async () => {
      const certificate = await testCertificate();
      await using listener = await startListener({ certificate });
      await using tls = openTlsClient({
        port: starttls ? listener.port : listener.tlsPort,
        starttls,
        version,
        trusted: certificate.cert,
      });
      using client = new SmtpClient(tls);
      if (!starttls) await client.expect("220");
      await client.command("EHLO client.example.net", "250");
      await client.login(USER, PASSWORD);
      await client.envelope();
      const body = `${"x".repeat(70)}\r\n`.repeat(2000);
      await client.sendRaw(`${body}.\r\nQUIT\r\n`);
      await client.expect("250 2.0.0", "221");
      await client.expectEnd();
      const message = onlyMessageIn(listener.maildir);
      assertEquals(withoutTrace(message), body);
      assertMatch(message, / with ESMTPSA /);
    });
  }
}

Deno.test("main.ts throws away what comes in plain text behind STARTTLS", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  using client = await SmtpClient.greeted(listener.port);
  await client.send(
    "STARTTLS",
    "EHLO attacker.example.net",
    `AUTH PLAIN ${plain(USER, PASSWORD)}`,
    "MAIL FROM:<attacker@example.net>",
  );
  await client.expect("220 2.0.0");
  await client.beginTls(certificate.cert);
  await client.send("NOOP", `AUTH PLAIN ${plain(USER, PASSWORD)}`, "QUIT");
  await client.expect("250 2.0.0", "503 5.5.1", "221");
  await client.expectEnd();
});

Deno.test("main.ts closes on what is no ClientHello, and serves the next client", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  const garbage = "EHLO client.example.net\r\n".repeat(3);
  {
    using client = await SmtpClient.greeted(listener.port);
    await client.command("STARTTLS", "220 2.0.0");
    await client.sendRaw(garbage);
    await client.rest();
  }
  {
    using client = await SmtpClient.open(listener.tlsPort);
    await client.sendRaw(garbage);
    await client.rest();
  }
  const log = await events(listener, "closed", 2);
  assertEquals(log.map(({ reason }) => reason), ["tls-failed", "tls-failed"]);
  const trusted = certificate.cert;
  (await loggedIn(listener.tlsPort, { trusted })).close();
  using client = await SmtpClient.greeted(listener.port);
  await client.startTls(trusted);
});

Deno.test("main.ts answers a close_notify with its own, as RFC 8446 section 6.1 wants", async () => {
  const certificate = await testCertificate();
  const trusted = certificate.cert;
  await using listener = await startListener({ certificate });
  using implicit = await SmtpClient.greeted(listener.tlsPort, { trusted });
  using upgraded = await SmtpClient.greeted(listener.port);
  await upgraded.startTls(trusted);
  for (const client of [upgraded, implicit]) {
    await client.closeWrite();
    // Deno's client throws if the end is not announced.
    await client.expectEnd();
  }
});
