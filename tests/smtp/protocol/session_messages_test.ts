import * as replies from "../../../smtp/protocol/replies.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { latin1, SessionClient } from "../../support/session.ts";
import {
  clientAfter,
  codes,
  drain,
  EHLO,
  LOGIN,
  MAIL,
  OPEN,
  sessionIn,
  STATE_NAMES,
} from "../../support/session_states.ts";

Deno.test("Session takes the provider's own name for the user, and its context", () => {
  const client = clientAfter(EHLO);
  client.send("AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n");
  assertEquals(client.outcomes(), [{
    code: 235,
    reason: "ok",
    mechanism: "PLAIN",
    username: "bob@example.org",
  }]);
  client.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.net>\r\nDATA\r\n.\r\n");
  const [message] = client.messages();
  const { user, context } = message?.envelope ?? {};
  assertEquals([user, context], ["bob@example.org", { tenant: 7 }]);
});

Deno.test("Session tells the envelope of a message", () => {
  const client = clientAfter(`HELO client\r\n${LOGIN}`);
  client.send(
    "MAIL FROM:<> SIZE=10 BODY=8BITMIME SMTPUTF8 AUTH=<>\r\n" +
      "RCPT TO:<bob@example.net>\r\nRCPT TO:<x>\r\nRCPT TO:<postmaster>\r\n" +
      "RCPT TO:<bob@example.net>\r\nDATA\r\n..x\r\n.\r\n",
  );
  assertEquals(client.messages(), [{
    envelope: {
      sender: "",
      recipients: ["bob@example.net", "postmaster", "bob@example.net"],
      parameters: { size: 10, body: "8BITMIME", smtpUtf8: true, auth: "<>" },
      user: "ann",
      remoteIp: "192.0.2.7",
      heloName: "client",
      esmtp: false,
      tls: false,
    },
    body: ".x\r\n",
    bad: false,
  }]);
  assertEquals(client.octets, [4]);
});

Deno.test("Session tells no user where nobody has authenticated", () => {
  const client = clientAfter(`${EHLO}${MAIL}`, OPEN);
  client.send("DATA\r\n.\r\n");
  const [message] = client.messages();
  assert(message !== undefined);
  assertEquals("user" in message.envelope, false);
});

Deno.test("Session begins each message anew", () => {
  const client = clientAfter(EHLO, OPEN);
  client.send(`${MAIL}DATA\r\none\r\n.\r\n`);
  client.send(
    "MAIL FROM:<x@y> SIZE=3\r\nRCPT TO:<bob@example.net>\r\nRSET\r\n",
  );
  client.send("MAIL FROM:<>\r\nRCPT TO:<carol@example.net>\r\n");
  client.send("DATA\r\ntwo\r\n.\r\n");
  const seen = client.messages().map(({ envelope, body }) => [
    envelope.sender,
    envelope.recipients,
    envelope.parameters,
    body,
  ]);
  assertEquals(seen, [
    ["ann@example.org", ["bob@example.net"], {}, "one\r\n"],
    ["", ["carol@example.net"], {}, "two\r\n"],
  ]);
  assertEquals(client.octets, [5, 5]);
});

Deno.test("Session tells heloName as the client gave it", () => {
  const names = ["client", "[192.0.2.7]", "Two Words", "h\u00e9", "-"];
  for (const heloName of names) {
    const client = new SessionClient();
    client.send(new TextEncoder().encode(`EHLO  ${heloName} \r\n${LOGIN}`));
    const [asked] = client.actions;
    assert(asked?.kind === "authenticate");
    assertEquals(asked.request.heloName, heloName);
  }
});

Deno.test("Session gives bodies away: later input does not change them", () => {
  for (const size of [1, 100, 4095, 4096, 5000, 60_000]) {
    const client = new SessionClient(OPEN);
    client.send(`${EHLO}${MAIL}DATA\r\n`);
    const expected: string[] = [];
    // ASCII letters that differ from piece to piece, with dots to unstuff.
    for (let i = 0; i < 20; i++) {
      const piece = String.fromCharCode(97 + i).repeat(size);
      client.send(`${piece}\r\n..`);
      expected.push(`${piece}\r\n.`);
    }
    client.send(`\r\n.\r\n${MAIL}DATA\r\n${"z".repeat(100_000)}\r\n.\r\n`);
    const [message] = client.messages();
    // Not assertEquals(): the difference would be a megabyte.
    assert(message?.body === `${expected.join("")}\r\n`, `pieces of ${size}`);
  }
});

Deno.test("Session gives no body octets after a fault, and the end all the same", () => {
  const rows = [
    ["bare-line-end", "a\nb\r\n", "554 5.6.0"],
    ["bare-line-end", "a\rb\r\n", "554 5.6.0"],
    ["too-large", "0123456789\r\n", "552 5.3.4"],
  ] as const;
  for (const [fault, start, reply] of rows) {
    for (const pieceSize of [Infinity, 1]) {
      const rules = { authRequired: false, maxMessageOctets: 11 };
      const client = clientAfter(`${EHLO}${MAIL}DATA\r\n`, { rules });
      client.send(start, pieceSize);
      const { length } = client.actions;
      assertEquals(client.actions.at(-1), { kind: "badBody", fault });
      client.send("more\r\n", pieceSize);
      assertEquals(client.actions.length, length);
      const output = client.send(".\r\nNOOP\r\n", pieceSize);
      assertEquals(client.actions.slice(length).map(({ kind }) => kind), [
        "endOfMessage",
      ]);
      assertEquals(codes(output), [reply, "250 2.0.0"]);
    }
  }
});

Deno.test("Session.delivered() returns what the client reads", () => {
  const good = sessionIn("delivering");
  assertEquals(good.delivered(replies.storageFull), replies.storageFull);
  assertEquals(drain(good).output, ["452 4.3.1"]);

  const bad = sessionIn("data");
  bad.receive(latin1("\n\r\n.\r\n"));
  while (bad.next().kind !== "endOfMessage") {
    // Towards the end.
  }
  assertEquals(bad.delivered(replies.accepted), replies.bareLineEnd);
  assertEquals(drain(bad).output, ["554 5.6.0"]);
});

Deno.test("Session.inTransaction lasts from MAIL to the reply to the message", () => {
  const inTransaction = STATE_NAMES.filter((state) =>
    sessionIn(state).inTransaction
  );
  assertEquals(inTransaction, ["transaction", "data", "delivering"]);
  const session = sessionIn("delivering");
  session.delivered(replies.accepted);
  assertEquals(session.inTransaction, false);
  for (const end of ["RSET\r\n", EHLO, "HELO x\r\n"]) {
    const { session } = clientAfter(`${EHLO}${MAIL}${end}`, OPEN);
    assertEquals(session.inTransaction, false, end);
  }
});

Deno.test("Session.readingData lasts from DATA to the end of the message", () => {
  const reading = STATE_NAMES.filter((state) => sessionIn(state).readingData);
  assertEquals(reading, ["data"]);
});
