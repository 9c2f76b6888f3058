// listenSmtp() of the package for npm, on Node 22, Node 24 and Bun: the same
// transcripts as on Deno, through real sockets; and on Node what else is other
// code than Deno's: TLS, ports, what the system does to sockets.

import { SmtpClient } from "../../testing/client.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { sayUntil } from "../support/cut_off.ts";
import { newsOf } from "../support/events.ts";
import { eventually } from "../support/eventually.ts";
import { OLD_HELLO } from "../support/old_hello.ts";
import { clientsHeld } from "../support/sockets.ts";
import { newTestCertificate } from "../support/tls_certificate.ts";
import { heldBy, watchable } from "../support/watch.ts";
import {
  misbehave,
  openEncrypted,
  reach,
  WAYS_IN,
} from "../support/ways_in.ts";
import {
  LISTENERS_FILES,
  type NodeListener,
  type NodeListenerOptions,
  NodeListeners,
  programOf,
} from "../support/node_listeners.ts";
import { installed, RUNTIMES } from "../support/npm_package.ts";
import { replayThroughSocket } from "../support/socket_replay.ts";
import { readTranscripts } from "../support/transcript.ts";

const cleanUp = new AsyncDisposableStack();
const project = await installed(cleanUp, LISTENERS_FILES);
Deno.test.afterAll(() => cleanUp.disposeAsync());

/** The alert of that name (RFC 8446 section 6). */
const PROTOCOL_VERSION = "\x15\x03\x01\0\x02\x02\x46";

/** Part of a message. */
const LINES = `${"x".repeat(998)}\r\n`.repeat(64);

/** How many clients send a large message at a time. */
const LARGE_CLIENTS = 20;

/** All of them send much more than may be in memory. */
const LARGE_OCTETS = 15 * 1024 * 1024;

/**
 * What all of them together may cost, in KiB: mostly garbage, for Node collects
 * what it has read into late.
 */
const MOST_KIB = 128 * 1024;

/** util-linux has it on every Linux. */
function limitFiles(pid: number, files: number): void {
  const { success } = new Deno.Command("prlimit", {
    args: ["--pid", String(pid), `--nofile=${files}:${files}`],
  }).outputSync();
  assert(success, "prlimit");
}

for (const { name, program } of RUNTIMES) {
  Deno.test(`listenSmtp() answers every transcript: ${name}`, async (t) => {
    await using listeners = new NodeListeners(
      project,
      await programOf(project, program),
    );
    for (const transcript of readTranscripts()) {
      await t.step(transcript.name, async () => {
        const outcome = await replayThroughSocket(
          transcript,
          (options, reply) =>
            listeners.listen({
              options,
              ...reply === undefined ? {} : { reply },
            }),
        );
        assertEquals(outcome, undefined);
      });
    }
  });
}

/** Those of which all holds that holds on Deno. */
const NODES = RUNTIMES.filter(({ name }) => name !== "Bun");

/** Listens with a certificate at two ports. */
async function listenWithTls(
  listeners: NodeListeners,
  how: Partial<NodeListenerOptions> = {},
): Promise<NodeListener> {
  return await listeners.listen({
    ...how,
    options: {
      ...await testCertificate(),
      port: 0,
      tlsPort: 0,
      requireAuth: false,
      ...how.options,
    },
  });
}

/** A good client from the greeting to the end. */
async function isServed(port: number, trusted?: string): Promise<void> {
  using client = await SmtpClient.greeted(
    port,
    trusted === undefined ? {} : { trusted },
  );
  await client.command("QUIT", "221");
  await client.expectEnd();
}

for (const { name, program } of NODES) {
  const test = (
    criterion: string,
    check: (listeners: NodeListeners) => Promise<void>,
  ) =>
    Deno.test({
      name: `listenSmtp() ${criterion}: ${name}`,
      ignore: !watchable,
      async fn() {
        const path = await programOf(project, program);
        await using listeners = new NodeListeners(project, path);
        await check(listeners);
      },
    });

  for (const way of WAYS_IN.filter((way) => way !== "plain text")) {
    const proxied = way === "implicit TLS behind PROXY";
    const options = proxied ? { proxyProtocolFrom: ["127.0.0.0/8"] } : {};

    test(`tells an old client so by an alert, and the log in words: ${way}`, async (listeners) => {
      await using listener = await listenWithTls(listeners, { options });
      using client = await reach(listener, way, "handshake");
      client.send(OLD_HELLO);
      await client.hears(PROTOCOL_VERSION);
      await client.over();
      const [event, ...others] = await eventually("an event", () => {
        const news = newsOf(listener.events);
        return news.length > 0 && news;
      });
      assert(event !== undefined && event.kind === "closed");
      assertEquals(
        [event.reason, event.error],
        [
          "tls-failed",
          "the client offers no TLS 1.2 (unsupported protocol)",
        ],
      );
      assertEquals(others, []);
    });

    test(`hears of an end inside a record: ${way}`, async (listeners) => {
      await using listener = await listenWithTls(listeners, { options });
      using client = await reach(listener, way, "DATA");
      await misbehave(client, "DATA", "ends in mid-record");
      await client.cutOff();
      await client.over();
      await eventually(
        "the message is lost",
        () => listener.events.some(({ kind }) => kind === "message"),
      );
      assertEquals(listener.messages, []);
    });
  }

  test("holds clients back while their messages are read slowly", async (listeners) => {
    const { cert } = await testCertificate();
    await using listener = await listenWithTls(listeners, {
      slowly: true,
    });
    const send = async (octets: number) => {
      const conn = await openEncrypted(listener.port, "STARTTLS", cert);
      using client = new SmtpClient(conn);
      await client.sendRaw("EHLO a\r\n");
      await client.sendRaw(
        "MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n",
      );
      for (let sent = 0; sent < octets; sent += LINES.length) {
        await client.sendRaw(LINES);
      }
      await client.send(".", "QUIT");
      const heard = await client.rest();
      assertEquals(heard.match(/^250 2\.0\.0 /gm)?.length, 1, heard);
    };
    await send(1);
    const before = heldBy(listeners.pid).rssKiB;
    let most = 0;
    const measuring = setInterval(() => {
      most = Math.max(most, heldBy(listeners.pid).rssKiB - before);
    }, 100);
    try {
      await Promise.all(
        Array.from({ length: LARGE_CLIENTS }, () => send(LARGE_OCTETS)),
      );
    } finally {
      clearInterval(measuring);
    }
    assert(most < MOST_KIB, `${most} KiB above the start`);
  });

  test("answers all that was sent before the client closed its half", async (listeners) => {
    await using listener = await listeners.listen({ options: { port: 0 } });
    const sayings = [
      { text: "EHLO client.example.net\r\n", replies: 1 },
      { text: "NOOP\r\n", replies: 1 },
      { text: "RSET\r\n", replies: 1 },
    ];
    const end = { after: Infinity, way: "half", atOnce: true } as const;
    const heard = await sayUntil(listener.port, sayings, end);
    assertEquals(heard.match(/^[0-9]{3}(?!-)/gm), ["220", "250", "250", "250"]);
  });

  test("rejects what cannot be served, and leaves no port open", async (listeners) => {
    await using listener = await listeners.listen({ options: { port: 0 } });
    const certificate = await testCertificate();
    const { key } = await newTestCertificate();
    const rows = [
      [{ port: listener.port }, "EADDRINUSE"],
      [{ port: 0, tlsPort: listener.port, ...certificate }, "EADDRINUSE"],
      [{ port: 0, ...certificate, key }, "key values mismatch"],
      [{ port: 0, tlsPort: 0 }, "tlsPort needs cert and key"],
      [{ port: -1 }, "port must be"],
    ] as const;
    const { files } = heldBy(listeners.pid);
    for (const [options, words] of rows) {
      await assertRejects(() => listeners.listen({ options }), Error, words);
    }
    await eventually("none", () => heldBy(listeners.pid).files <= files);
  });

  test("greets with another certificate, unless that is none", async (listeners) => {
    await using listener = await listenWithTls(listeners);
    const next = await newTestCertificate();
    const { key, cert } = await testCertificate();
    await assertRejects(
      () => listener.useCertificate({ ...next, key }),
      Error,
      "key values mismatch",
    );
    await isServed(listener.tlsPort, cert);
    await listener.useCertificate(next);
    await isServed(listener.tlsPort, next.cert);
  });

  test("takes a client in behind twenty that reset before they were accepted", async (listeners) => {
    await using listener = await listenWithTls(listeners);
    const { cert } = await testCertificate();
    for (const port of [listener.port, listener.tlsPort]) {
      const reset = { after: 0, way: "reset", atOnce: true } as const;
      // While it can't accept, so that all of them come before that.
      listeners.signal("SIGSTOP");
      await Promise.all(
        Array.from({ length: 20 }, () => sayUntil(port, [], reset)),
      );
      listeners.signal("SIGCONT");
      await isServed(port, port === listener.port ? undefined : cert);
      await eventually("nobody", () => clientsHeld(port).size === 0);
    }
    assertEquals(newsOf(listener.events), []);
  });

  test("serves who is there while file descriptors run out, and others when there are some again", async (listeners) => {
    await using listener = await listeners.listen({ options: { port: 0 } });
    await isServed(listener.port);
    const { files } = heldBy(listeners.pid);
    using first = await SmtpClient.greeted(listener.port);
    limitFiles(listeners.pid, files + 10);
    // Node accepts and closes at once those whom there is no descriptor for.
    const crowd = await Promise.all(
      Array.from({ length: 30 }, () => SmtpClient.open(listener.port)),
    );
    await eventually(
      "some are closed",
      () => clientsHeld(listener.port).size < crowd.length,
    );
    await first.login("ann", "secret");
    await first.command("QUIT", "221");
    crowd.forEach((client) => client.close());
    await eventually("room", () => heldBy(listeners.pid).files <= files);
    await isServed(listener.port);
  });
}
