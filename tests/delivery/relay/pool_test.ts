import { assertEquals } from "../../support/assert.ts";
import { newClock } from "../../support/clock.ts";
import { newManualDeadlines } from "../../support/manual_deadlines.ts";
import {
  begin,
  begun,
  newTestRelay,
  send,
  status,
} from "../../support/relay.ts";
import { type HopScript, serveHop } from "../../support/scripted_hop.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const TAKEN = ["250 2.1.5", "250 2.0.0"];

/** A hop, a relay to it, and the relay's time limits. */
function hopAndRelay(maxConnections: number, script?: HopScript) {
  const hop = serveHop(script === undefined ? {} : { script });
  const deadlines = newManualDeadlines();
  const url = `smtp://127.0.0.1:${hop.port}`;
  const relay = newTestRelay({ url, maxConnections }, deadlines);
  const cleanUp = new AsyncDisposableStack();
  cleanUp.use(hop);
  cleanUp.use(relay);
  return {
    hop,
    relay,
    deadlines,
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

Deno.test("newRelay() opens no more connections than it may, first come, first served", async () => {
  await using setting = hopAndRelay(3);
  const { hop, relay } = setting;
  const order: number[] = [];
  const clients = Array.from({ length: 30 }, async (_, client) => {
    assertEquals(await send(relay, { mail: { id: `c${client}` } }), TAKEN);
    order.push(client);
  });
  await Promise.all(clients);
  assertEquals(hop.connections(), 3);
  // Three at a time: nobody is overtaken by more than two.
  for (const [at, client] of order.entries()) {
    assertEquals(Math.abs(at - client) <= 2, true, order.join());
  }
});

Deno.test("newRelay() leaves with a QUIT when a connection had nothing to do for 30 s", async () => {
  await using setting = hopAndRelay(20);
  const { hop, relay, deadlines } = setting;
  await send(relay);
  assertEquals(deadlines.running(), [30_000]);
  deadlines.expire();
  await hop.idle();
  assertEquals(hop.lines().at(-1), "QUIT");
  assertEquals(await send(relay), TAKEN);
  assertEquals(hop.connections(), 2);
});

Deno.test("newRelay() closes a connection whose QUIT has no answer", async () => {
  await using setting = hopAndRelay(20, { QUIT: { then: "hang" } });
  const { hop, relay, deadlines } = setting;
  await send(relay);
  const quit = hop.reached("QUIT");
  relay.close();
  await quit;
  await deadlines.isRunning(10_000);
  deadlines.expire();
  await hop.idle();
});

Deno.test("newRelay() opens another connection where the old one has died", async () => {
  for (
    const script of [
      {},
      // It says that it is closing, and not on which command.
      { RSET: "421 4.4.2 idle too long\r\n" },
      { RSET: { then: "close" } },
      { RSET: { say: "421 4.3.2 go", then: "close" } },
      { RSET: "500 what?\r\n" },
      { RSET: "nonsense\r\n" },
    ] as const
  ) {
    await using setting = hopAndRelay(20, script);
    const { hop, relay } = setting;
    assertEquals(await send(relay), TAKEN);
    if (!("RSET" in script)) {
      hop.drop();
      await hop.idle();
    }
    assertEquals(await send(relay), TAKEN);
    assertEquals(hop.connections(), 2);
    assertEquals(relay.events, []);
  }
});

Deno.test("newRelay() uses no connection whose RSET is refused, though MAIL is taken in the same packet", async () => {
  let mails = 0;
  const taken = "250 2.1.0 sender ok\r\n";
  await using setting = hopAndRelay(20, {
    RSET: `500 what?\r\n${taken}`,
    MAIL: () => ++mails === 2 ? "" : taken,
  });
  const { hop, relay } = setting;
  assertEquals(await send(relay), TAKEN);
  assertEquals(await send(relay), TAKEN);
  assertEquals([mails, hop.connections()], [3, 2]);
});

/** The beginnings of what nobody has asked for. */
const STRAY = ["\r", "4", "421 4.4.2 idle too lo", "250-more\r\n", "250 \r"];

Deno.test("newRelay() uses no connection on which something unasked has begun, and lives on", async () => {
  for (const stray of STRAY) {
    await using setting = hopAndRelay(20, {
      ".": `250 2.0.0 taken\r\n${stray}`,
    });
    const { hop, relay } = setting;
    // Several, so that one that turns out to be bad takes others with it.
    assertEquals(
      await Promise.all([send(relay), send(relay), send(relay)]),
      [TAKEN, TAKEN, TAKEN],
    );
    assertEquals(await send(relay), TAKEN, stray);
    assertEquals([hop.connections(), relay.events], [4, []]);
    relay.close();
    await hop.idle();
  }
});

Deno.test("newRelay() lets go of a connection on which something unasked has begun", async () => {
  for (const stray of STRAY) {
    await using setting = hopAndRelay(20, {
      ".": `250 2.0.0 taken\r\n${stray}`,
    });
    const { hop, relay, deadlines } = setting;
    assertEquals(await send(relay), TAKEN);
    deadlines.expire();
    await hop.idle();
    assertEquals(await send(relay), TAKEN);
    assertEquals([hop.connections(), relay.events], [2, []]);
  }
});

Deno.test("newRelay() answers 451 at once where something unasked has begun behind a reply", async () => {
  for (const step of ["MAIL", "RCPT"] as const) {
    for (const stray of STRAY) {
      await using setting = hopAndRelay(20, {
        [step]: `250 2.1.0 ok\r\n${stray}`,
      });
      const { hop, relay } = setting;
      assertEquals((await send(relay)).at(-1), "451 4.4.2", step + stray);
      assertEquals(relay.events.map(({ reason }) => reason), [
        "relay-protocol",
      ]);
      await hop.idle();
    }
  }
});

Deno.test("newRelay() waits 10 s for an old connection, and then opens another", async () => {
  await using setting = hopAndRelay(1, { RSET: { then: "hang" } });
  const { hop, relay, deadlines } = setting;
  await send(relay);
  const again = send(relay);
  await hop.reached("RSET");
  await deadlines.isRunning(10_000);
  deadlines.expire();
  assertEquals(await again, TAKEN);
  assertEquals(relay.events, []);
  assertEquals(hop.connections(), 2);
});

Deno.test("newRelay() tries no second new connection", async () => {
  await using setting = hopAndRelay(20, { MAIL: { then: "close" } });
  const { hop, relay } = setting;
  assertEquals(await send(relay), ["451 4.4.2"]);
  assertEquals(hop.connections(), 1);
});

Deno.test("newRelay() tells the next hop of a transaction that is abandoned, and uses the connection again", async () => {
  await using setting = hopAndRelay(1);
  const { hop, relay } = setting;
  const transfer = await begun(relay);
  await transfer.recipient?.("bob@example.net");
  transfer.abandon?.();
  assertEquals(await send(relay), TAKEN);
  assertEquals(hop.connections(), 1);
  assertEquals(hop.lines().slice(1, 6), [
    "MAIL FROM:<ann@example.org>",
    "RCPT TO:<bob@example.net>",
    "RSET",
    "RSET",
    "MAIL FROM:<ann@example.org>",
  ]);
});

Deno.test("newRelay() gives up for a client that leaves, wherever it waits", async () => {
  for (const step of ["greeting", "EHLO", "MAIL"] as const) {
    await using setting = hopAndRelay(1, { [step]: { then: "hang" } });
    const { hop, relay } = setting;
    const abort = new AbortController();
    const reached = hop.reached(step);
    const transfer = begin(relay, {}, abort.signal);
    await reached;
    abort.abort();
    assertEquals("code" in await transfer, true, step);
    await hop.idle();
    assertEquals(relay.events, []);
  }
});

Deno.test("newRelay() drops a connection that owes a reply when its client leaves: the next one need not wait for it", async () => {
  let recipients = 0;
  await using setting = hopAndRelay(1, {
    RCPT: () => ++recipients === 1 ? { then: "hang" } : "250 2.1.5 ok\r\n",
  });
  const { hop, relay } = setting;
  const transfer = await begun(relay);
  const reached = hop.reached("RCPT");
  const reply = transfer.recipient?.("bob@example.net");
  await reached;
  transfer.abandon?.();
  assertEquals(status(await reply ?? undefined), "451 4.4.2");
  assertEquals(await send(relay), TAKEN);
  assertEquals([hop.connections(), relay.events], [2, []]);
});

Deno.test("newRelay() lets those behind a client that leaves have its turn", async () => {
  await using setting = hopAndRelay(1);
  const { relay } = setting;
  const first = await begun(relay);
  const abort = new AbortController();
  const second = begin(relay, { id: "c2" }, abort.signal);
  const third = send(relay, { mail: { id: "c3" } });
  abort.abort();
  assertEquals("code" in await second, true);
  first.abandon?.();
  assertEquals(await third, TAKEN);
  assertEquals(relay.events, []);
});

Deno.test("newRelay() answers 451 4.4.5 who has waited 240 s for a connection", async () => {
  await using setting = hopAndRelay(1);
  const { relay } = setting;
  const first = await begun(relay);
  {
    using clock = newClock();
    const second = send(relay);
    assertEquals(clock.timers(), [240_000]);
    clock.wind(240_000);
    assertEquals(await second, ["451 4.4.5"]);
  }
  assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
    ["relay-busy", "all 1 connections are in use"],
  ]);
  first.abandon?.();
  assertEquals(await send(relay), TAKEN);
});

Deno.test("newRelay() begins nothing for a client that has left before", async () => {
  await using setting = hopAndRelay(1);
  const { hop, relay } = setting;
  const left = AbortSignal.abort();
  assertEquals("code" in await begin(relay, {}, left), true);
  assertEquals(hop.connections(), 0);
  assertEquals(await send(relay), TAKEN);
});
