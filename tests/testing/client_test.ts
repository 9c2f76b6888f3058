import { newTestServer, plain, SmtpClient } from "../../testing.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A client of a server that has said all this and closed. */
function hearing(text: string): SmtpClient {
  const waiting = [new TextEncoder().encode(text)];
  return new SmtpClient({
    read(into) {
      const octets = waiting.shift();
      if (octets === undefined) return Promise.resolve(null);
      into.set(octets);
      return Promise.resolve(octets.length);
    },
    write: (octets) => Promise.resolve(octets.length),
    closeWrite: () => Promise.resolve(),
    close() {},
  });
}

Deno.test("SmtpClient.reply() takes replies apart", async () => {
  const rows = [
    ["220 a.example ESMTP\r\n", "220", ["a.example ESMTP"]],
    ["250-a\r\n250-SIZE 1\r\n250 HELP\r\n", "250", ["a", "SIZE 1", "HELP"]],
    ["535 5.7.8 no, not 4.7.0\r\n", "535 5.7.8", ["no, not 4.7.0"]],
    ["334 \r\n", "334", [""]],
    ["334 2.1.0\r\n", "334", ["2.1.0"]],
  ] as const;
  for (const [text, status, lines] of rows) {
    assertEquals(await hearing(text).reply(), { status, lines: [...lines] });
  }
});

Deno.test("SmtpClient.expect() throws at another reply, at an end and at what is no reply", async () => {
  const rows = [
    ["535 5.7.8 no\r\n", "235", "The reply must be 235: got 535 5.7.8 no"],
    ["250 2.1.0 ok\r\n", "250 2.1", "The reply must be 250 2.1: got"],
    [
      "250 2.1.0 okay\r\n",
      "250 2.1.0 ok",
      "The reply must be 250 2.1.0 ok: got",
    ],
    ["2500 ok\r\n", "250", "This is no reply: 2500 ok"],
    ["250 half", "250", 'The server has closed behind "250 half"'],
  ] as const;
  for (const [text, status, words] of rows) {
    await assertRejects(() => hearing(text).expect(status), Error, words);
  }
  for (
    const status of ["250", "250 2.1.0", "250 2.1.0 ok", "250 2.1.0 ok so"]
  ) {
    const reply = await hearing("250 2.1.0 ok so\r\n").expect(status);
    assertEquals(reply.status, "250 2.1.0");
  }
  assertEquals((await hearing("354 \r\n").expect("354")).status, "354");
});

Deno.test("SmtpClient.expectEnd() throws if something comes before the end", async () => {
  await hearing("").expectEnd();
  await assertRejects(
    () => hearing("421 bye\r\n").expectEnd(),
    Error,
    "Nothing must come before the end of the connection: got 421 bye",
  );
  assertEquals(await hearing("421 bye\r\n").rest(), "421 bye\r\n");
});

Deno.test("SmtpClient.startTls() begins TLS after the 220 and nothing else", async () => {
  await using server = newTestServer();
  using client = await server.greeted();
  await assertRejects(
    () => client.startTls("nobody"),
    Error,
    "The reply must be 220 2.0.0: got 454 4.7.0",
  );
});

Deno.test("plain() is the message of RFC 4616", () => {
  assertEquals(atob(plain("ann", "secret")), "\0ann\0secret");
  assertEquals(atob(plain("ann", "secret", "bob")), "bob\0ann\0secret");
});

Deno.test("SmtpClient.close() closes what TLS has begun on, also where the server leaves in the handshake", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    using conn = await listener.accept();
    await conn.write(new TextEncoder().encode("220 2.0.0 go on\r\n"));
    // The first record of the handshake.
    await conn.read(new Uint8Array(4096));
  };
  const serving = serve();
  using client = await SmtpClient.open(listener.addr.port);
  await client.expect("220");
  const { cert } = await testCertificate();
  await assertRejects(() => client.beginTls(cert), Error);
  await serving;
});
