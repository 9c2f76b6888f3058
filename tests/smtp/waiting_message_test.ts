// A connection whose message is under way, or waits for whoever takes it.

import { newDeadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import type { ConnectionContext } from "../../smtp/connection_context.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { newTransferSlots } from "../../smtp/transfer_slots.ts";
import { assertEquals } from "../support/assert.ts";
import {
  BEGUN,
  DISK,
  never,
  repliesOf,
  STORING,
  wordsOf,
} from "../support/endings.ts";
import {
  HandConn,
  newContext,
  newHandTicks,
  settled,
} from "../support/hand_conn.ts";
import { PEER } from "../support/session.ts";

/** A connection in the midst of a message, and who takes that. */
async function inMessage(
  to: ConnectionContext["to"],
  said: readonly string[],
  transfers = newTransferSlots(1, 1_000),
) {
  const clock = newHandTicks();
  const conn = new HandConn();
  const events: SmtpEvent[] = [];
  const context = newContext({
    ...DISK,
    to,
    transfers,
    deadlines: newDeadlines(1_000),
    report: (event) => events.push(event),
  });
  const connection = new Connection(conn, PEER, context);
  const ended = connection.run([]);
  await settled();
  for (const text of said) {
    conn.says(text);
    await settled();
  }
  return { clock, conn, connection, ended, events };
}

Deno.test("a client that leaves while nobody takes its message is noticed within seconds", async () => {
  for (const leaves of ["ends", "resets"] as const) {
    const message = await inMessage(never, [BEGUN]);
    using clock = message.clock;
    const { conn, connection, ended, events } = message;
    if (leaves === "ends") conn.says(null);
    else conn.resets();
    await settled();
    assertEquals(conn.closed, false, "nobody reads");
    clock.tick(3);
    await settled();
    if (leaves === "ends") conn.says(null);
    else conn.resets();
    await settled();
    assertEquals(conn.closed, true, leaves);
    // Whoever takes the message is waited for all the same.
    assertEquals(events, []);
    connection.abort();
    await ended;
    assertEquals(wordsOf(events), ["shutdown", "message"]);
  }
});

Deno.test("a client that resets behind more than is read ahead is noticed all the same", async () => {
  const message = await inMessage(never, [BEGUN]);
  using clock = message.clock;
  const { conn, connection, ended } = message;
  clock.tick(3);
  await settled();
  for (let i = 0; i < 40; i++) {
    conn.says("x".repeat(998));
    await settled();
  }
  // Nobody reads now.
  conn.resets();
  clock.tick(3);
  await settled();
  assertEquals(conn.closed, true);
  connection.abort();
  await ended;
});

Deno.test("a client that goes on while nobody takes its message loses nothing", async () => {
  const gate = Promise.withResolvers<void>();
  let text = "";
  const message = await inMessage(async ({ body }) => {
    await gate.promise;
    text = await new Response(body).text();
  }, [BEGUN]);
  using clock = message.clock;
  const { conn, ended } = message;
  clock.tick(3);
  await settled();
  // It may close its sending half behind all that it has to say.
  for (const said of ["wor", "ld\r\n.\r\nNOOP\r\n", null]) {
    conn.says(said);
    await settled();
  }
  assertEquals(conn.closed, false);
  gate.resolve();
  await ended;
  assertEquals(text, "hello\r\nworld\r\n");
  assertEquals(repliesOf(conn).slice(-2), ["250 2.0.0", "250 2.0.0"]);
});

Deno.test("a client that goes on while its large message waits for a slot loses nothing", async () => {
  const transfers = newTransferSlots(1, 1_000_000);
  const other = transfers.acquire();
  let octets = 0;
  const large = `${"x".repeat(998)}\r\n`.repeat(66);
  const message = await inMessage(
    async ({ body }) => {
      for await (const piece of body) octets += piece.length;
    },
    [BEGUN, large],
    transfers,
  );
  using clock = message.clock;
  const { conn, ended } = message;
  for (let i = 0; i < 100; i++) await settled();
  clock.tick(3);
  await settled();
  conn.says("end\r\n.\r\n");
  await settled();
  assertEquals(repliesOf(conn).at(-1), "354");
  other.release();
  for (let i = 0; i < 100; i++) await settled();
  assertEquals([repliesOf(conn).at(-1), octets], ["250 2.0.0", 66_012]);
  conn.says(null);
  await ended;
});

Deno.test("a client whose large message nobody takes is read from into little, with a slot or without", async () => {
  for (const isHeld of [true, false]) {
    const slot = { isHeld: true, ready: undefined, yield() {}, release() {} };
    const large = `${"x".repeat(998)}\r\n`;
    const message = await inMessage(
      async ({ body }) => {
        let octets = 0;
        for await (const piece of body) {
          octets += piece.length;
          if (octets > 100_000) await new Promise(() => {});
        }
      },
      [BEGUN, large.repeat(66)],
      { acquire: () => slot },
    );
    using clock = message.clock;
    const { conn, connection, ended } = message;
    for (let i = 0; i < 100; i++) await settled();
    assertEquals(conn.room, 262_144, "it has a slot");
    conn.says(large.repeat(150));
    await settled();
    // Others have waited for it, perhaps.
    slot.isHeld = isHeld;
    conn.room = 0;
    clock.tick(3);
    await settled();
    assertEquals(conn.room, 1_024);
    connection.abort();
    await settled();
    conn.says(null);
    await ended;
  }
});

Deno.test("a client that waits for its message is noticed when it resets, and not when it ends", async () => {
  for (const leaves of ["ends", "resets"] as const) {
    const gate = Promise.withResolvers<void>();
    const message = await inMessage(
      ({ body }) => body.pipeTo(new WritableStream()).then(() => gate.promise),
      [BEGUN, ".\r\n"],
    );
    using clock = message.clock;
    const { conn, ended, events } = message;
    clock.tick(3);
    await settled();
    if (leaves === "ends") conn.says(null);
    else conn.resets();
    await settled();
    assertEquals(conn.closed, leaves === "resets");
    gate.resolve();
    await ended;
    assertEquals(wordsOf(events), ["message", "client-gone"]);
    const last = leaves === "ends" ? "250 2.0.0" : "354";
    assertEquals(repliesOf(conn).at(-1), last);
  }
});

Deno.test("a message that nobody stores keeps its connection until that is aborted", async () => {
  using clock = newHandTicks();
  const conn = new HandConn();
  const context = newContext({ ...STORING, deadlines: newDeadlines(1_000) });
  const connection = new Connection(conn, PEER, context);
  const ended = connection.run([]);
  await settled();
  for (const text of [BEGUN, ".\r\n"]) {
    conn.says(text);
    await settled();
  }
  connection.drain();
  clock.tick(10_000);
  await settled();
  assertEquals(repliesOf(conn).at(-1), "354");
  connection.abort();
  await settled();
  assertEquals(repliesOf(conn).at(-1), "421 4.3.2");
  conn.says(null);
  await ended;
  assertEquals(conn.closed, true);
});
