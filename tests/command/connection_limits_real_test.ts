import { assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { serveHttp } from "../support/http_end.ts";
import { startListener } from "../support/listener.ts";
import { onlyMessageIn, withoutTrace } from "../support/maildir.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import {
  assertNothingKept,
  events,
  FOREVER,
  loggedIn,
} from "../support/listener_session.ts";

Deno.test("main.ts --max-connections refuses one more with 421 4.3.2 until one leaves, on both ports", async () => {
  const certificate = await testCertificate();
  const trusted = certificate.cert;
  await using listener = await startListener({
    certificate,
    args: ["--max-connections", "2"],
  });
  using one = await SmtpClient.greeted(listener.port);
  using two = await SmtpClient.greeted(listener.tlsPort, { trusted });
  using three = await SmtpClient.open(listener.port);
  await three.expect("421 4.3.2");
  await three.expectEnd();
  using four = await SmtpClient.open(listener.tlsPort, { trusted });
  await four.expect("421 4.3.2");
  await four.expectEnd();
  await two.command("NOOP", "250");

  await one.command("QUIT", "221");
  await one.expectEnd();
  one.close();
  const five = await eventually("there is room for a new client", async () => {
    const client = await SmtpClient.open(listener.port);
    if ((await client.reply()).status === "220") return client;
    client.close();
    return undefined;
  });
  five.close();
});

Deno.test("main.ts --idle-timeout tells a silent client 421 4.4.2 and closes", async () => {
  await using listener = await startListener({
    args: ["--idle-timeout", "200"],
  });
  using client = await SmtpClient.open(listener.port);
  await client.expect("220", "421 4.4.2");
  await client.expectEnd();
  const [line] = await events(listener, "closed");
  assertEquals(line?.reason, "idle");
});

Deno.test("main.ts --idle-timeout cuts off a client that sends a message octet by octet", async () => {
  await using listener = await startListener({
    args: ["--idle-timeout", "300"],
    env: { MEOWMAIL_SMTP_REQUIRE_AUTH: "off" },
  });
  using client = await SmtpClient.open(listener.port);
  await client.sendRaw(
    "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
  );
  await client.expect("220", "250", "250", "250", "354");
  const trickle = setInterval(() => {
    client.sendRaw("x").catch(() => clearInterval(trickle));
  }, 15);
  try {
    await client.expect("421 4.4.2");
  } finally {
    clearInterval(trickle);
  }
  client.close();
  await events(listener, "message");
  assertNothingKept(listener);
});

Deno.test("main.ts --idle-timeout leaves a client alone whose message takes longer but comes", async () => {
  await using listener = await startListener({
    args: ["--idle-timeout", "1000"],
    env: { MEOWMAIL_SMTP_REQUIRE_AUTH: "off" },
  });
  using client = await SmtpClient.open(listener.port);
  await client.sendRaw(
    "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
  );
  await client.expect("220", "250", "250", "250", "354");
  const piece = `${"x".repeat(98)}\r\n`.repeat(20);
  for (let sent = 0; sent < 15; sent++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.sendRaw(piece);
  }
  await client.send(".");
  await client.expect("250 2.0.0");
});

Deno.test("main.ts --idle-timeout does not run while the endpoint is asked", async () => {
  await using end = serveHttp(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return Response.json({ ok: true });
  });
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--idle-timeout", "700", "--auth-timeout", FOREVER],
  });
  using client = await SmtpClient.open(listener.port);
  await client.send("EHLO a", `AUTH PLAIN ${plain("ann", "secret")}`);
  await client.expect("220", "250", "235");
});

Deno.test("main.ts --max-size refuses a message by its SIZE and by its content, and keeps nothing of it", async () => {
  await using listener = await startListener({ args: ["--max-size", "1000"] });
  using client = await loggedIn(listener.port);
  await client.command("MAIL FROM:<a@example.org> SIZE=1001", "552 5.3.4");
  const tooLarge = `${"x".repeat(98)}\r\n`.repeat(10) + ".."; // 1004 with CRLF
  await client.envelope();
  await client.send(tooLarge, ".");
  await client.expect("552 5.3.4");
  assertNothingKept(listener);
  await client.envelope();
  await client.sendRaw(`${"x".repeat(1_000_000)}\r\n.\r\nNOOP\r\n`);
  await client.expect("552 5.3.4", "250 2.0.0");
  assertNothingKept(listener);
});

Deno.test("main.ts --max-size counts the client's octets, and neither its own lines nor doubled dots", async () => {
  await using listener = await startListener({ args: ["--max-size", "1000"] });
  using client = await loggedIn(listener.port);
  const line = `.${"x".repeat(97)}\r\n`;
  await client.envelope("a@example.org", ["b@example.net"], " SIZE=1000");
  await client.sendRaw(`${`.${line}`.repeat(10)}.\r\n`);
  await client.expect("250 2.0.0");
  assertEquals(withoutTrace(onlyMessageIn(listener.maildir)), line.repeat(10));
});
