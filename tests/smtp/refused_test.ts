import { newDeadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import type { ConnectionContext } from "../../smtp/connection_context.ts";
import { newsOf } from "../support/events.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import {
  HandConn,
  newContext,
  newHandTicks,
  settled,
} from "../support/hand_conn.ts";
import { decide } from "../support/decide.ts";
import { PEER, RULES } from "../support/session.ts";
import { SmtpClient } from "../../testing/client.ts";

const EHLO = "EHLO client.example.net\r\n";
const LOGIN = `AUTH PLAIN ${btoa("\0ann\0secret")}\r\n`;
const OPEN = { rules: { ...RULES, authRequired: false } };
const FROM = {
  via: "smtp",
  id: PEER.id,
  remoteIp: PEER.remoteIp,
  tls: PEER.tls,
} as const;

/** What the log hears of a client that says something and leaves. */
async function eventsOf(
  said: string,
  part: Partial<ConnectionContext> = {},
): Promise<SmtpEvent[]> {
  const events: SmtpEvent[] = [];
  const conn = new HandConn();
  const context = newContext({
    provider: decide,
    to: async ({ body }) => {
      await body.pipeTo(new WritableStream());
    },
    report: (event) => events.push(event),
    ...part,
  });
  const ended = new Connection(conn, PEER, context).run([]);
  await settled();
  conn.says(said);
  await settled();
  conn.says(null);
  await ended;
  return newsOf(events);
}

Deno.test("each refusal outside AUTH and DATA is one event with verb, code and count", async () => {
  const rows = [
    ["EHLO\r\n", "EHLO", 501, "missing-name"],
    ["HELO \x01\r\n", "HELO", 501, "missing-name"],
    ["STARTTLS\r\n", "STARTTLS", 454, "no-certificate"],
    ["STARTTLS now\r\n", "STARTTLS", 501, "unexpected-argument"],
    ["RSET now\r\n", "RSET", 501, "unexpected-argument"],
    ["QUIT now\r\n", "QUIT", 501, "unexpected-argument"],
    ["EXPN staff\r\n", "EXPN", 502, "not-implemented"],
    ["MAIL\r\n", "MAIL", 501, "mail-syntax"],
    ["MAIL FROM:a@x.test\r\n", "MAIL", 501, "mail-syntax"],
    ["MAIL FROM:<a b@x>\r\n", "MAIL", 501, "bad-sender"],
    ["MAIL FROM:<a@b> SIZE=x\r\n", "MAIL", 501, "bad-parameter"],
    ["MAIL FROM:<a@b> RET=FULL\r\n", "MAIL", 555, "unknown-parameter"],
    ["MAIL FROM:<a@b> SIZE=99999999\r\n", "MAIL", 552, "message-too-large"],
    ["MAIL FROM:<\u00e4@b>\r\n", "MAIL", 553, "needs-smtputf8"],
    ["RCPT TO:<a@b>\r\n", "RCPT", 503, "mail-first"],
    ["DATA\r\n", "DATA", 503, "mail-first"],
    ["NONSENSE\r\n", "", 500, "unknown-command"],
    ["NOOP\0\r\n", "", 500, "malformed-line"],
    [`NOOP ${"x".repeat(4100)}\r\n`, "", 500, "line-too-long"],
  ] as const;
  for (const [line, verb, code, reason] of rows) {
    for (const count of [1, 3]) {
      assertEquals(
        await eventsOf(EHLO + line.repeat(count), OPEN),
        [{ kind: "refused", verb, code, reason, count, ...FROM }],
        line.slice(0, 40),
      );
    }
  }
});

Deno.test("each refusal in a transaction is one event too", async () => {
  const begun = `${EHLO}MAIL FROM:<ann@example.org>\r\n`;
  const rows = [
    ["MAIL FROM:<b@c>\r\n", "MAIL", 503, "in-transaction"],
    ["DATA\r\n", "DATA", 503, "rcpt-first"],
    ["RCPT\r\n", "RCPT", 501, "rcpt-syntax"],
    ["RCPT TO:<a>\r\n", "RCPT", 501, "bad-recipient"],
    ["RCPT TO:<a@b> NOTIFY=NEVER\r\n", "RCPT", 555, "unknown-parameter"],
  ] as const;
  for (const [line, verb, code, reason] of rows) {
    assertEquals(
      await eventsOf(begun + line, OPEN),
      [{ kind: "refused", verb, code, reason, count: 1, ...FROM }],
      line,
    );
  }
});

Deno.test("a reason is told once for a connection, with the first verb and the number of commands", async () => {
  const spam = "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nNOOP\r\n";
  assertEquals(await eventsOf(EHLO + spam.repeat(4) + "EXPN x\r\n"), [{
    kind: "refused",
    verb: "MAIL",
    code: 530,
    reason: "auth-required",
    count: 13,
    ...FROM,
  }]);
});

Deno.test("a refusal after a login says whose it was, and nothing that the client said", async () => {
  const said = `${EHLO}${LOGIN}MAIL FROM:s3cret@x.test\r\ns3cret\r\n`;
  const events = await eventsOf(said);
  assertEquals(events.slice(1), [{
    kind: "refused",
    verb: "MAIL",
    code: 501,
    reason: "mail-syntax",
    count: 1,
    username: "ann",
    ...FROM,
  }, {
    kind: "refused",
    verb: "",
    code: 500,
    reason: "unknown-command",
    count: 1,
    username: "ann",
    ...FROM,
  }]);
  assert(!JSON.stringify(events).includes("s3cret"));
});

Deno.test("a sender who is not the user's own is a refusal like others", async () => {
  const events = await eventsOf(`${EHLO}${LOGIN}MAIL FROM:<eve@x.test>\r\n`, {
    provider: () => ({ decision: "authOk", senders: ["ann@x.test"] }),
  });
  assertEquals(events.slice(1), [{
    kind: "refused",
    verb: "MAIL",
    code: 550,
    reason: "not-your-address",
    count: 1,
    username: "ann",
    ...FROM,
  }]);
});

Deno.test("a refused AUTH is an event of its own, and no refusal besides", async () => {
  const said = [
    "AUTH\r\n",
    "AUTH NTLM\r\n",
    "AUTH PLAIN %\r\n",
    "AUTH PLAIN\0\r\n",
    `AUTH ${"x".repeat(12_300)}\r\n`,
  ];
  const events = await eventsOf(said.join(""));
  assertEquals(events.map(({ kind }) => kind), said.map(() => "auth"));
});

Deno.test("a connection that nothing was refused on has no such event", async () => {
  const events = await eventsOf(
    `${EHLO}${LOGIN}MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n`,
  );
  assertEquals(events.map(({ kind }) => kind), ["auth", "message"]);
});

Deno.test("refusals before and after STARTTLS are told together, at the end", async () => {
  const events: SmtpEvent[] = [];
  const certificate = await testCertificate();
  await using server = serveSmtp({
    ...certificate,
    port: 0,
    provider: decide,
    onEvent: (event) => events.push(event),
  }, () => {});
  using client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
  await client.command("MAIL FROM:<a@b>", "530");
  await client.startTls(certificate.cert);
  await client.command("RCPT TO:<a@b>", "530");
  await client.command("NONSENSE", "500");
  assertEquals(newsOf(events), []);
  await client.command("QUIT", "221");
  await client.expectEnd();
  await server.shutdown();
  assertEquals(
    newsOf(events).map((event) =>
      event.kind === "refused" && [event.verb, event.reason, event.count]
    ),
    [["MAIL", "auth-required", 2], ["", "unknown-command", 1]],
  );
});

Deno.test("a message says how many recipients were refused, whatever for", async () => {
  const rcpts = "RCPT TO:<a@b>\r\n".repeat(3) + "RCPT TO:<c>\r\n";
  const [message, ...others] = await eventsOf(
    `${EHLO}MAIL FROM:<a@b>\r\n${rcpts}DATA\r\n.\r\n`,
    { rules: { ...OPEN.rules, maxRecipients: 1 } },
  );
  assert(message?.kind === "message");
  assertEquals([message.recipients, message.refusedRecipients], [1, 3]);
  assertEquals(
    others.map((event) =>
      event.kind === "refused" && [event.verb, event.code, event.count]
    ),
    [["RCPT", 452, 2], ["RCPT", 501, 1]],
  );
});

Deno.test("the recipients refused in another transaction are not a message's", async () => {
  const [message] = await eventsOf(
    `${EHLO}MAIL FROM:<a@b>\r\nRCPT TO:<c>\r\nRSET\r\n` +
      "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\n",
    OPEN,
  );
  assert(message?.kind === "message");
  assertEquals([message.recipients, message.refusedRecipients], [1, 0]);
});

Deno.test("a message that is refused for its text says what for", async () => {
  const begun = `${EHLO}MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n`;
  const rows = [
    ["a\nb\r\n", 554, "bare-line-end", 5],
    ["x".repeat(200) + "\r\n", 552, "too-large", 202],
  ] as const;
  for (const [text, code, fault, octets] of rows) {
    const [message] = await eventsOf(`${begun}${text}.\r\n`, {
      rules: { ...OPEN.rules, maxMessageOctets: 100 },
    });
    assert(message?.kind === "message");
    assertEquals(
      [message.code, message.fault, message.octets],
      [code, fault, octets],
    );
  }
});

Deno.test("a text of bare LFs that ends at the idle limit is told as it was", async () => {
  using clock = newHandTicks();
  const events: SmtpEvent[] = [];
  const conn = new HandConn();
  const context = newContext({
    ...OPEN,
    deadlines: newDeadlines(1_000),
    report: (event) => events.push(event),
  });
  const ended = new Connection(conn, PEER, context).run([]);
  await settled();
  const text = "Subject: hello\n\nfrom a device\n.\n";
  conn.says(`${EHLO}MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n${text}`);
  await settled();
  clock.tick(302);
  await settled();
  conn.says(null);
  await ended;
  assertEquals(events, [
    { kind: "closed", reason: "idle", ...FROM },
    {
      kind: "message",
      sender: "a@b",
      recipients: 1,
      refusedRecipients: 0,
      octets: text.length,
      ...FROM,
      fault: "bare-line-end",
    },
  ]);
});

Deno.test("who is closed for its own fault is told so", async () => {
  const wrong = `AUTH PLAIN ${btoa("\0ann\0wrong")}\r\n`;
  const rows = [
    ["GET / HTTP/1.1\r\n", "http"],
    [EHLO + wrong.repeat(3), "too-many-failures"],
    ["NONSENSE\r\n".repeat(20), "too-many-errors"],
    ["NOOP\r\n".repeat(101), "no-login"],
  ] as const;
  for (const [said, reason] of rows) {
    const events = await eventsOf(said);
    const closed = events.filter(({ kind }) => kind === "closed");
    assertEquals(closed, [{ kind: "closed", reason, ...FROM }]);
  }
});
