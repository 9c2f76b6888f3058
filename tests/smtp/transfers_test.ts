import { serveSmtp } from "../../smtp/listener.ts";
import { assertEquals } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { SmtpClient } from "../../testing/client.ts";

/** One client more than may send large messages at a time. */
const CLIENTS = 17;

/** So much is read of every message, with a turn or without one. */
const SMALL_OCTETS = 65_536;

/** So much only with a turn. */
const LARGE_OCTETS = 131_072;

const MESSAGE = `${"x".repeat(998)}\r\n`.repeat(200);

interface Stuck extends AsyncDisposable {
  /** Resolves when one client waits, and all others are stuck in their turn. */
  readonly full: Promise<void>;
  /** Lets go of all messages. */
  readonly release: () => void;
  readonly clients: readonly SmtpClient[];
  readonly finished: Promise<void>;
}

/** Clients with a large message each, for a receiver that stops in each. */
async function stuckClients(signal?: AbortSignal): Promise<Stuck> {
  const full = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let large = 0;
  let stuck = 0;
  const server = serveSmtp({
    port: 0,
    provider: () => "authOk",
    requireAuth: false,
    ...(signal === undefined ? {} : { signal }),
  }, async ({ body }) => {
    let octets = 0;
    for await (const piece of body) {
      const before = octets;
      octets += piece.length;
      const comesOver = (limit: number) => before < limit && octets >= limit;
      if (comesOver(SMALL_OCTETS)) large++;
      const isStuck = comesOver(LARGE_OCTETS);
      if (isStuck) stuck++;
      if (large === CLIENTS && stuck >= CLIENTS - 1) full.resolve();
      if (isStuck) await gate.promise;
    }
    assertEquals(octets, MESSAGE.length);
  });
  const port = server.addrs[0]?.port ?? 0;
  const clients: SmtpClient[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const client = await SmtpClient.open(port);
    clients.push(client);
    await client.expect("220");
    await client.command("EHLO x", "250");
    await client.command("MAIL FROM:<ann@example.org>", "250");
    await client.command("RCPT TO:<bob@example.net>", "250");
    await client.command("DATA", "354");
    await client.sendRaw(`${MESSAGE}.\r\n`);
  }
  return {
    full: full.promise,
    release: gate.resolve,
    clients,
    finished: server.finished,
    async [Symbol.asyncDispose]() {
      gate.resolve();
      clients.forEach((client) => client[Symbol.dispose]());
      await server.shutdown();
    },
  };
}

Deno.test("serveSmtp() takes every large message, however many come at once", async () => {
  await using stuck = await stuckClients();
  await mustHappen(stuck.full, "all turns are taken");
  stuck.release();
  for (const client of stuck.clients) await client.expect("250");
});

Deno.test("serveSmtp() ends at once for clients that wait for a slot", async () => {
  const abort = new AbortController();
  await using stuck = await stuckClients(abort.signal);
  await mustHappen(stuck.full, "all turns are taken");
  abort.abort();
  stuck.release();
  for (const client of stuck.clients) {
    await client.expect("421 4.3.2");
    // Who closes as well is not waited for.
    client.close();
  }
  await mustHappen(stuck.finished, "the listener has ended");
});
