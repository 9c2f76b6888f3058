import { newTestServer } from "../../testing.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

Deno.test({
  name: "newTestServer() in memory needs no permission",
  permissions: "none",
  fn: async () => {
    await using server = newTestServer({ inMemory: true });
    assertEquals([server.addrs, server.port, server.tlsPort], [[], 0, 0]);
    using client = await server.greeted();
    await client.login("ann", "whatever");
    await client.envelope();
    await client.send("one", ".");
    await client.expect("250 2.0.0");
    const { envelope, octets, text } = await server.nextMessage();
    assertEquals(envelope.user, "ann");
    assertEquals(text, "one\r\n");
    assertEquals(octets, new TextEncoder().encode(text));
  },
});

Deno.test("newTestServer() hands each message out once, to those who wait and to those who come later", async () => {
  await using server = newTestServer({ inMemory: true, requireAuth: false });
  const first = server.nextMessage();
  const second = server.nextMessage();
  using client = await server.greeted();
  for (const line of ["1", "2", "3"]) {
    await client.envelope();
    await client.send(line, ".");
    await client.expect("250");
  }
  const third = server.nextMessage();
  const texts = (await Promise.all([first, second, third]))
    .map(({ text }) => text);
  assertEquals(texts, ["1\r\n", "2\r\n", "3\r\n"]);
  assertEquals(server.messages.map(({ text }) => text), texts);
});

Deno.test("newTestServer() keeps what is answered with 250 alone", async () => {
  await using server = newTestServer({
    inMemory: true,
    requireAuth: false,
    answer({ text }) {
      if (text === "throw\r\n") throw new Error("broken");
      return text === "no\r\n"
        ? { code: 554, enhanced: "5.6.0", text: "no" }
        : undefined;
    },
  });
  using client = await server.greeted();
  const rows = [["no", "554 5.6.0"], ["throw", "451 4.3.0"], [
    "yes",
    "250 2.0.0",
  ]] as const;
  for (const [line, status] of rows) {
    await client.envelope();
    await client.send(line, ".");
    await client.expect(status);
  }
  assertEquals(server.messages.map(({ text }) => text), ["yes\r\n"]);
});

Deno.test("newTestServer() hands mail to a Deliver, and keeps what that took", async () => {
  const seen: string[] = [];
  await using server = newTestServer(
    { inMemory: true, requireAuth: false, maxSize: 60_000 },
    async ({ envelope, body }) => {
      const [recipient = ""] = envelope.recipients;
      const [name = ""] = recipient.split("@");
      if (name === "unread") return;
      if (name === "thrown") throw new Error("broken");
      if (name === "refused") {
        return { code: 554, enhanced: "5.6.0", text: "no" };
      }
      seen.push(await new Response(body).text());
    },
  );
  using client = await server.greeted();
  const rows = [
    ["unread", "a".repeat(40_000), "250 2.0.0"],
    ["thrown", "b".repeat(40_000), "451 4.3.0"],
    ["refused", "c".repeat(40_000), "554 5.6.0"],
    ["large", "d".repeat(70_000), "552 5.3.4"],
    ["read", "e", "250 2.0.0"],
  ] as const;
  for (const [name, line, status] of rows) {
    await client.envelope("ann@example.org", [`${name}@example.net`]);
    for (let at = 0; at < line.length; at += 900) {
      await client.send(line.slice(at, at + 900));
    }
    await client.send(".");
    await client.expect(status);
  }
  assertEquals(seen, ["e\r\n"]);
  const kept = server.messages.map(({ envelope, text }) => [
    envelope.recipients,
    text.replaceAll("\r\n", "").length,
  ]);
  assertEquals(kept, [
    [["unread@example.net"], 40_000],
    [["read@example.net"], 1],
  ]);
});

Deno.test("newTestServer() hands mail to a Destination, each step of it", async () => {
  const steps: string[] = [];
  await using server = newTestServer({ inMemory: true, requireAuth: false }, {
    begin({ sender }) {
      steps.push(`begin ${sender}`);
      if (sender === "") return { code: 550, enhanced: "5.7.1", text: "no" };
      return {
        recipient(mailbox) {
          steps.push(`recipient ${mailbox}`);
          if (mailbox.startsWith("eve")) {
            return { code: 550, enhanced: "5.1.1", text: "no" };
          }
        },
        async message({ body }) {
          steps.push(`message ${await new Response(body).text()}`);
          return { code: 250, enhanced: "2.0.0", text: "queued as 7" };
        },
        abandon() {
          steps.push("abandon");
        },
      };
    },
  });
  using client = await server.greeted();
  await client.command("MAIL FROM:<>", "550 5.7.1");
  await client.command("MAIL FROM:<ann@example.org>", "250");
  await client.command("RCPT TO:<eve@example.net>", "550 5.1.1");
  await client.command("RSET", "250");
  await client.envelope("ann@example.org", ["bob@example.net"]);
  await client.send("one", ".");
  await client.expect("250 2.0.0 queued as 7");
  const { envelope, text } = await server.nextMessage();
  assertEquals([envelope.recipients, text], [["bob@example.net"], "one\r\n"]);
  assertEquals(steps, [
    "begin ",
    "begin ann@example.org",
    "recipient eve@example.net",
    "abandon",
    "begin ann@example.org",
    "recipient bob@example.net",
    "message one\r\n",
  ]);
});

Deno.test("newTestServer() refuses what cannot take mail, and two who answer", () => {
  assertThrows(
    // @ts-expect-error: there is no begin.
    () => newTestServer({ inMemory: true }, {}),
    TypeError,
    "Cannot serve SMTP: to must be a function, or an object with a function begin",
  );
  const both = () =>
    newTestServer({ inMemory: true, answer: () => {} }, () => {});
  assertThrows(
    both,
    TypeError,
    "Cannot serve SMTP: answer must not be given beside to, which answers",
  );
});

Deno.test("newTestServer() tells the address that a client in memory comes from", async () => {
  const ips: string[] = [];
  await using server = newTestServer({
    inMemory: true,
    provider({ remoteIp }) {
      ips.push(remoteIp);
      return "authOk";
    },
  });
  for (const remoteIp of ["192.0.2.7", "2001:db8::1"]) {
    using client = await server.greeted({ remoteIp });
    await client.login("ann", "secret");
  }
  assertEquals(ips, ["192.0.2.7", "2001:db8::1"]);
  assertEquals(
    server.events.filter(({ kind }) => kind === "auth").length,
    2,
  );
});

Deno.test("newTestServer() ends in memory as at a port", async () => {
  const server = newTestServer({ inMemory: true });
  using client = await server.greeted();
  const ended = server.shutdown();
  await client.expect("421 4.3.2");
  await client.expectEnd();
  client.close();
  await ended;
  await assertRejects(() => server.open(), Error, "the listener has ended");
});

Deno.test("newTestServer() takes the options of serveSmtp() and finds fault like it", () => {
  assertThrows(
    () => newTestServer({ inMemory: true, maxSize: -1 }),
    RangeError,
    "Cannot serve SMTP: maxSize must be an integer >= 1: got -1",
  );
});

Deno.test("newTestServer() makes a client in memory wait that sends faster than the server takes", async () => {
  const decision = Promise.withResolvers<"authOk">();
  await using server = newTestServer({
    inMemory: true,
    provider: () => decision.promise,
  });
  using client = await server.greeted();
  await client.send("AUTH PLAIN AGEAYg==");
  let sent = false;
  const sending = client.sendRaw(`${"NOOP\r\n".repeat(50_000)}QUIT\r\n`).then(
    () => sent = true,
  );
  // The server has had its turn, and so has the client.
  for (let i = 0; i < 1_000; i++) await Promise.resolve();
  assert(!sent);
  decision.resolve("authOk");
  await client.expect("235");
  assertEquals((await client.rest()).match(/^2/gm)?.length, 50_001);
  await sending;
});
