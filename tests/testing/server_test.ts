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
