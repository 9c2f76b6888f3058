import { concat, free } from "../../lib/octets.ts";
import { Gone } from "../../net/conn.ts";
import { denoTlsEngine } from "../../net/deno_tls_engine.ts";
import { nodeTlsEngine } from "../../net/node_tls_engine.ts";
import { TlsConnection } from "../../net/tls_connection.ts";
import type { NewTlsEngine } from "../../net/tls_engine.ts";
import { TlsFailure } from "../../net/tls_failure.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import { OLD_HELLO } from "../support/old_hello.ts";
import { connectTo, MemorySocket } from "../support/tls_pair.ts";

const certificate = await testCertificate();

const ENGINES: readonly (readonly [string, NewTlsEngine | undefined])[] = [
  ["denoTlsEngine()", denoTlsEngine(certificate)],
  ["nodeTlsEngine()", nodeTlsEngine(certificate)],
];

const encoder = new TextEncoder();

/** Reads so many octets. */
async function readAll(
  connection: TlsConnection,
  count: number,
  roomOctets = 1024,
): Promise<string> {
  const room = new Uint8Array(roomOctets);
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < count) {
    const read = await mustHappen(connection.read(room), "octets come");
    if (read === null) break;
    text += decoder.decode(room.subarray(0, read));
  }
  return text;
}

Deno.test("denoTlsEngine() knows the Deno that this is developed with", () => {
  assert(denoTlsEngine(certificate) !== undefined);
});

for (const [name, newEngine] of ENGINES) {
  if (newEngine === undefined) continue;

  const shakeHands = async (options = {}) => {
    const socket = new MemorySocket();
    const peer = connectTo(socket, options);
    const connection = new TlsConnection(socket, newEngine());
    await mustHappen(connection.handshake(), "the handshake ends");
    return { socket, peer, connection };
  };

  for (
    const options of [
      { maxVersion: "TLSv1.2" },
      { minVersion: "TLSv1.3" },
      { servername: "" },
      { servername: "elsewhere.example.org" },
      { ALPNProtocols: ["smtp", "imap"] },
    ] as const
  ) {
    Deno.test(`TlsConnection talks to a client with ${JSON.stringify(options)}: ${name}`, async () => {
      const { peer, connection } = await shakeHands(options);
      await connection.write(encoder.encode("220 "));
      peer.tls.write("EHLO ");
      assertEquals(await readAll(connection, 5), "EHLO ");
      await connection.end(encoder.encode("221 "));
      await mustHappen(peer.ended, "the client hears the end");
      assertEquals(peer.heard(), "220 221 ");
      assertEquals(
        peer.tls.getProtocol(),
        "maxVersion" in options ? "TLSv1.2" : "TLSv1.3",
      );
      connection.close();
    });
  }

  Deno.test(`TlsConnection reads from its socket only while somebody reads from it: ${name}`, async () => {
    const { socket, peer, connection } = await shakeHands();
    const { reads } = socket;
    const text = "x".repeat(500_000);
    await new Promise((resolve) => peer.tls.write(text, resolve));
    await connection.write(encoder.encode("y".repeat(20_000)));
    await eventually("the client reads", () => peer.heard().length === 16_384);
    assertEquals(socket.reads, reads);
    assertEquals(await readAll(connection, 1, 100), text.slice(0, 100));
    // What is there is handed out first.
    const afterOne = socket.reads;
    assertEquals(await readAll(connection, 1, 100), text.slice(0, 100));
    assertEquals(socket.reads, afterOne);
    assertEquals(
      (await readAll(connection, text.length - 200)).length,
      text.length - 200,
    );
    connection.close();
  });

  for (const room of [512, 16_384, 16_385, 34_821, 34_822, 65_536, 262_144]) {
    Deno.test(`TlsConnection decrypts in place where a record had begun before, into ${room} octets: ${name}`, async () => {
      const { socket, peer, connection } = await shakeHands();
      const kept = peer.keep();
      const text = Array.from({ length: 80_000 }, (_, i) => `${i} `).join("");
      const pieces = [[0, 16_384], [16_384, 32_300], [32_300]] as const;
      for (const [from, to] of pieces) {
        const piece = text.slice(from, to);
        await new Promise((resolve) => peer.tls.write(piece, resolve));
      }
      const records = concat(kept);
      assert(records.length > 262_144);
      // The first slice that comes now ends two records.
      socket.send(records.subarray(0, 16_400));
      socket.send(records.subarray(16_400));
      assertEquals(await readAll(connection, text.length, room), text);
      connection.close();
    });
  }

  Deno.test(`TlsConnection leaves a room alone once that has been handed out: ${name}`, async () => {
    const { peer, connection } = await shakeHands();
    const [first, second] = [new Uint8Array(65_536), new Uint8Array(1024)];
    peer.tls.write("EHLO ");
    const read = await mustHappen(connection.read(first), "octets come");
    assertEquals(read, 5);
    const kept = first.slice();
    peer.tls.write("NOOP ");
    await mustHappen(connection.read(second), "octets come");
    assertEquals(first, kept);
    // Whoever has it may do that.
    free(first);
    peer.tls.write("QUIT ");
    assertEquals(await readAll(connection, 5, 65_536), "QUIT ");
    connection.close();
  });

  Deno.test(`TlsConnection sees an end inside a record, behind octets that wait: ${name}`, async () => {
    const { socket, peer, connection } = await shakeHands();
    const text = "x".repeat(200_000);
    await new Promise((resolve) => peer.tls.write(text, resolve));
    const kept = peer.keep();
    await new Promise((resolve) => peer.tls.write(text, resolve));
    const [record] = kept;
    assert(record !== undefined && record.length > 10_000);
    socket.send(record.subarray(0, 10_000));
    socket.send(null);
    assertEquals((await readAll(connection, Infinity)).length, text.length);
    assertEquals(await connection.read(new Uint8Array(9)), null);
    connection.close();
  });

  Deno.test(`TlsConnection hears that the client says nothing more, and can still answer: ${name}`, async () => {
    const { peer, connection } = await shakeHands({ allowHalfOpen: true });
    peer.tls.end("QUIT");
    assertEquals(await readAll(connection, Infinity), "QUIT");
    await connection.end(encoder.encode("221 bye"));
    await mustHappen(peer.ended, "the client hears the end");
    assertEquals(peer.heard(), "221 bye");
    connection.close();
  });

  Deno.test(`TlsConnection sends what is written at the same time one after the other: ${name}`, async () => {
    const { peer, connection } = await shakeHands();
    await Promise.all([
      connection.write(encoder.encode("one ")),
      connection.write(encoder.encode("two ")),
      connection.end(encoder.encode("x".repeat(40_000))),
    ]);
    await mustHappen(peer.ended, "the client hears the end");
    assertEquals(peer.heard(), `one two ${"x".repeat(40_000)}`);
    connection.close();
  });

  for (
    const [who, octets, alert, words] of [
      [
        "an old client",
        OLD_HELLO,
        [2, 40],
        "the client offers no TLS 1.2",
      ],
      [
        "a client without TLS",
        encoder.encode("EHLO client.example.net\r\n"),
        [2, 50],
        "the client does not speak TLS",
      ],
      [
        "a client with an endless hello",
        encoder.encode("\x16\x03\x01\x00\x05hello"),
        [2, 50],
        "the client does not speak TLS",
      ],
    ] as const
  ) {
    Deno.test(`TlsConnection.handshake() sends ${who} an alert: ${name}`, async () => {
      const socket = new MemorySocket();
      const connection = new TlsConnection(socket, newEngine());
      socket.send(octets);
      const failure = await assertRejects(
        () => mustHappen(connection.handshake(), "the handshake fails"),
        TlsFailure,
        words,
      );
      assert(failure.cause instanceof Error);
      const { output } = socket;
      assertEquals([output[0], ...output.subarray(-2)], [21, ...alert]);
    });
  }

  Deno.test(`TlsConnection.handshake() says nothing about a client that leaves: ${name}`, async () => {
    for (const beginning of [[], [22, 3, 1, 2, 0, 1]]) {
      const socket = new MemorySocket();
      const connection = new TlsConnection(socket, newEngine());
      if (beginning.length > 0) socket.send(Uint8Array.from(beginning));
      socket.send(null);
      await assertRejects(() => connection.handshake(), Gone);
    }
  });

  Deno.test(`TlsConnection.close() ends a read that waits: ${name}`, async () => {
    const { socket, connection } = await shakeHands();
    const reading = connection.read(new Uint8Array(9));
    connection.close();
    await assertRejects(() => reading, Error);
    assertEquals(socket.closed, true);
    await assertRejects(() => connection.write(new Uint8Array(1)), Gone);
  });
}
