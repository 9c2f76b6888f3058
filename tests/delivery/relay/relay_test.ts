import { testCertificate } from "../../support/certificate.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import { begun, newTestRelay, send } from "../../support/relay.ts";
import { serveHop } from "../../support/scripted_hop.ts";

Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("newRelay() hands a message on and its reply back", async () => {
  await using hop = serveHop({
    extensions: ["PIPELINING", "SIZE 9", "8BITMIME"],
  });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const replies = await send(relay, {
    mail: { parameters: { size: 3, body: "8BITMIME" } },
    recipients: ["bob@example.net", "eve@example.com"],
    body: ["Subject: x\r\n\r\n", ".a\r", "\n", ".\r\nb\r\n"],
  });
  assertEquals(replies, ["250 2.1.5", "250 2.1.5", "250 2.0.0"]);
  assertEquals(hop.lines(), [
    "EHLO relay.example.net",
    "MAIL FROM:<ann@example.org> SIZE=3 BODY=8BITMIME",
    "RCPT TO:<bob@example.net>",
    "RCPT TO:<eve@example.com>",
    "DATA",
    ".",
  ]);
  const [message = ""] = hop.messages();
  assertMatch(
    message,
    /^Received: from laptop \(\[192\.0\.2\.7\]\)\r\n\tby relay\.example\.net with ESMTPSA id c1;\r\n\t[^\r\n]+ \+0000\r\n/,
  );
  assert(message.endsWith("+0000\r\nSubject: x\r\n\r\n..a\r\n..\r\nb\r\n"));
  assertEquals(relay.events, []);
  relay.close();
  await hop.idle();
});

Deno.test("newRelay() keeps text that begins at once apart from Received", async () => {
  await using hop = serveHop();
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  for (const body of [["UPS on battery\r\n"], ["UPS", " on battery\r\n"]]) {
    await send(relay, { body });
    const text = hop.messages().at(-1) ?? "";
    assert(text.endsWith(" +0000\r\n\r\nUPS on battery\r\n"), text);
  }
});

Deno.test("newRelay() uses a connection again, and asks in the same packet whether it lives", async () => {
  await using hop = serveHop();
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  for (let i = 0; i < 3; i++) await send(relay);
  assertEquals(hop.connections(), 1);
  assertEquals(
    hop.packets().filter((packet) => packet.startsWith("RSET")),
    Array(2).fill("RSET\r\nMAIL FROM:<ann@example.org>\r\n"),
  );
  assertEquals(hop.messages().length, 3);
});

Deno.test("newRelay() leaves with a QUIT when it is closed", async () => {
  await using hop = serveHop();
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  await send(relay);
  relay.close();
  await hop.idle();
  assertEquals(hop.lines().at(-1), "QUIT");
  // It works on, but keeps nothing.
  await send(relay);
  await hop.idle();
  assertEquals(hop.messages().length, 2);
});

Deno.test("newRelay() hands each reply on as it is, its text cleaned", async () => {
  await using hop = serveHop({
    script: {
      MAIL: "250-2.1.0 <ann@example.org>\r\n250 2.1.0 may \x07send\r\n",
      RCPT: (line) =>
        line.includes("bob")
          ? "550-5.1.1 no\r\n550 5.1.1 such \x07user\r\n"
          : "251 forwarded\r\n",
      ".": "250 2.6.0 <id@hop> [InternalId=1] queued\r\n",
    },
  });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const transfer = await begun(relay);
  assertEquals(transfer.reply, {
    code: 250,
    enhanced: "2.1.0",
    text: "<ann@example.org>\nmay ?send",
  });
  assertEquals(await transfer.recipient?.("bob@example.net"), {
    code: 550,
    enhanced: "5.1.1",
    text: "no\nsuch ?user",
  });
  assertEquals(await transfer.recipient?.("eve@example.net"), {
    code: 251,
    text: "forwarded",
  });
  transfer.abandon?.();
});

Deno.test("newRelay() shows refusals of the sender, of all recipients and of DATA", async () => {
  for (
    const [step, reply, replies] of [
      ["MAIL", "550 5.7.60 not you\r\n", ["550 5.7.60"]],
      ["MAIL", "452 4.3.1 full\r\n", ["452 4.3.1"]],
      ["RCPT", "550 5.1.1 no\r\n", ["550 5.1.1", "550 5.1.1"]],
      ["DATA", "554 5.5.1 no valid recipients\r\n", [
        "250 2.1.5",
        "250 2.1.5",
        "554 5.5.1",
      ]],
      [".", "552 5.3.4 too large\r\n", ["250 2.1.5", "250 2.1.5", "552 5.3.4"]],
      [".", "451 4.7.1 greylisted\r\n", [
        "250 2.1.5",
        "250 2.1.5",
        "451 4.7.1",
      ]],
    ] as const
  ) {
    await using hop = serveHop({ script: { [step]: reply } });
    using relay = newTestRelay({
      url: `smtp://127.0.0.1:${hop.port}`,
      maxConnections: 1,
    });
    const recipients = ["bob@example.net", "eve@example.net"];
    for (let times = 0; times < 2; times++) {
      assertEquals(await send(relay, { recipients }), [...replies], step);
    }
    assertEquals(hop.connections(), 1, step);
    assertEquals(relay.events, [], step);
  }
});

Deno.test("newRelay() begins TLS at once, or by STARTTLS, and logs in there", async () => {
  const certificate = await testCertificate();
  const plain = `AUTH PLAIN ${base64("\0ann\0secret")}`;
  const mail = "MAIL FROM:<ann@example.org> AUTH=<>";
  const ehlo = "EHLO relay.example.net";
  const startTls = [ehlo, "STARTTLS", ehlo, plain, mail];
  for (
    const [scheme, first, second] of [
      ["smtps", [ehlo, plain, mail], [ehlo, plain, mail]],
      ["starttls", startTls, startTls],
      // The first connection is one that cannot be encrypted.
      ["smtp", [ehlo, ...startTls], startTls],
    ] as const
  ) {
    await using hop = serveHop({
      certificate,
      implicitTls: scheme === "smtps",
      extensions: ["AUTH PLAIN LOGIN"],
    });
    using relay = newTestRelay({
      url: `${scheme}://localhost:${hop.port}`,
      username: "ann",
      password: "secret",
      ca: certificate.cert,
    });
    for (const begins of [first, second]) {
      const before = hop.lines().length;
      assertEquals(await send(relay), ["250 2.1.5", "250 2.0.0"], scheme);
      const said = hop.lines().slice(before);
      assertEquals(said.slice(0, begins.length), [...begins], scheme);
      relay.close();
      await hop.idle();
    }
  }
});

/** What a program declares that always declares what it can. */
const ALL = { body: "8BITMIME", smtpUtf8: true } as const;

Deno.test("newRelay() hands on what needs no SMTPUTF8, whatever was declared", async () => {
  await using hop = serveHop({ extensions: ["8BITMIME"] });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const body = ["Subject: 7 bits\r\n", "\r\nhello\r\n"];
  const replies = await send(relay, { mail: { parameters: ALL }, body });
  assertEquals(replies, ["250 2.1.5", "250 2.0.0"]);
  const [mail] = hop.lines().filter((line) => line.startsWith("MAIL"));
  assertEquals(mail, "MAIL FROM:<ann@example.org> BODY=8BITMIME");
});

Deno.test("newRelay() refuses addresses that the next hop cannot take", async () => {
  await using hop = serveHop({ extensions: ["8BITMIME"] });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const mail = { parameters: ALL };
  assertEquals(
    await send(relay, { mail: { ...mail, sender: "jörg@example.org" } }),
    ["553 5.6.7"],
  );
  const recipients = ["用户@example.net", "bob@example.net"];
  assertEquals(
    await send(relay, { mail, recipients }),
    ["553 5.6.7", "250 2.1.5", "250 2.0.0"],
  );
  assertEquals(hop.connections(), 1);
});

Deno.test("newRelay() leaves AUTH=<> out where a next hop knows no such parameter", async () => {
  const mail = "MAIL FROM:<ann@example.org>";
  for (const refusal of ["555 5.5.4 what?", "501 5.5.4 AUTH?", "504 no"]) {
    await using hop = serveHop({
      extensions: ["AUTH PLAIN"],
      script: {
        MAIL: (line) => line === mail ? "250 ok\r\n" : `${refusal}\r\n`,
      },
    });
    const url = `smtp://127.0.0.1:${hop.port}`;
    using relay = newTestRelay({ url, username: "ann", password: "secret" });
    for (let i = 0; i < 2; i++) {
      assertEquals(await send(relay), ["250 2.1.5", "250 2.0.0"], refusal);
    }
    assertEquals(
      hop.lines().filter((line) => line.startsWith("MAIL")),
      [`${mail} AUTH=<>`, mail, mail],
    );
    // What it says about the sender is the client's to read.
    assertEquals(
      await send(relay, { mail: { sender: "eve@example.org" } }),
      [refusal.startsWith("504") ? "504" : refusal.slice(0, 9)],
    );
    relay.close();
    await hop.idle();
  }
});

Deno.test("newRelay() converts nothing: what the next hop lacks is a refusal", async () => {
  const { body, smtpUtf8 } = ALL;
  const subject = "Subject: Grüße\r\n\r\nhello\r\n";
  const text = "Subject: hello\r\n\r\nGrüße\r\n";
  for (
    const [extensions, parameters, message, replies] of [
      [[], ALL, subject, ["554 5.6.3"]],
      [[], { body }, text, ["554 5.6.3"]],
      [["SMTPUTF8"], ALL, text, ["554 5.6.3"]],
      [[], { smtpUtf8 }, subject, ["250 2.1.5", "554 5.6.7"]],
      [["8BITMIME"], ALL, subject, ["250 2.1.5", "554 5.6.7"]],
      [["8BITMIME"], ALL, text, ["250 2.1.5", "250 2.0.0"]],
      [["8BITMIME"], ALL, "\r\nGrüße\r\n", ["250 2.1.5", "250 2.0.0"]],
      [["8BITMIME"], ALL, "Grüße\r\n", ["250 2.1.5", "250 2.0.0"]],
      [["8BITMIME"], ALL, "ü", ["250 2.1.5", "250 2.0.0"]],
    ] as const
  ) {
    await using hop = serveHop({ extensions });
    using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
    const mail = { parameters };
    for (const pieces of [[message], message]) {
      const what = JSON.stringify({ extensions, parameters, message });
      assertEquals(
        await send(relay, { mail, body: pieces }),
        [...replies],
        what,
      );
    }
    const ends = hop.lines().filter((line) => line === ".").length;
    assertEquals(ends, replies.at(-1) === "250 2.0.0" ? 2 : 0);
    assertEquals(relay.events, []);
  }
});

Deno.test("newRelay() reads no further once it has refused a message", async () => {
  await using hop = serveHop({ extensions: ["8BITMIME"] });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  let isOver = false;
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) yield await Promise.resolve("Subject: Grüße\r\n");
    } finally {
      isOver = true;
    }
  }
  const mail = { parameters: ALL };
  const replies = await send(relay, { mail, body: endless() });
  assertEquals(replies, ["250 2.1.5", "554 5.6.7"]);
  await hop.idle();
  assert(isOver);
  assertEquals(await send(relay), ["250 2.1.5", "250 2.0.0"]);
});

Deno.test("newRelay() asks for the password at each login", async () => {
  await using hop = serveHop({ extensions: ["AUTH PLAIN"] });
  let asked = 0;
  using relay = newTestRelay({
    url: `smtp://127.0.0.1:${hop.port}`,
    username: "ann",
    password: () => `secret${++asked}`,
  });
  await send(relay);
  hop.drop();
  await hop.idle();
  await send(relay);
  const logins = hop.lines().filter((line) => line.startsWith("AUTH"));
  assertEquals(
    logins,
    [1, 2].map((n) => `AUTH PLAIN ${base64(`\0ann\0secret${n}`)}`),
  );
  assertEquals(relay.events, []);
});
