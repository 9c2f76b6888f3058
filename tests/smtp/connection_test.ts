import { newsOf } from "../support/events.ts";
import { Connection } from "../../smtp/connection.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { assertEquals } from "../support/assert.ts";
import { HandConn, newContext, settled } from "../support/hand_conn.ts";
import { PEER, RULES } from "../support/session.ts";

Deno.test("Connection writes all replies to a packet at once", async () => {
  const conn = new HandConn();
  const connection = new Connection(conn, PEER, newContext());
  const ended = connection.run([]);
  await settled();
  conn.says("EHLO x\r\nNOOP\r\nRSET\r\nNOOP\r\n");
  await settled();
  assertEquals(conn.written.length, 2);
  conn.says("QUIT\r\n");
  await ended;
  assertEquals(conn.written.length, 3);
});

Deno.test("Connection bears writes that take a part only", async () => {
  const conn = new HandConn();
  const parts: string[] = [];
  conn.write = (octets) => {
    parts.push(new TextDecoder().decode(octets.subarray(0, 3)));
    return Promise.resolve(Math.min(3, octets.length));
  };
  const connection = new Connection(conn, PEER, newContext());
  const ended = connection.run([]);
  await settled();
  conn.says(null);
  await ended;
  assertEquals(parts.join(""), `220 ${RULES.serverName} ESMTP ready\r\n`);
});

Deno.test("Connection reports a fault of its own, and no client that leaves", async () => {
  for (
    const [fault, expected] of [
      [new TypeError("oops"), [{
        kind: "closed",
        reason: "error",
        via: "smtp",
        id: PEER.id,
        remoteIp: PEER.remoteIp,
        tls: PEER.tls,
        error: "TypeError: oops",
      }]],
      [undefined, []],
    ] as const
  ) {
    const events: SmtpEvent[] = [];
    const conn = new HandConn();
    const context = newContext({
      report: (event) => {
        if (event.kind === "auth" && fault !== undefined) throw fault;
        if (event.kind !== "auth") events.push(event);
      },
    });
    const ended = new Connection(conn, PEER, context).run([]);
    await settled();
    conn.says(`EHLO x\r\nAUTH PLAIN ${btoa("\0ann\0secret")}\r\n`);
    await settled();
    conn.says(null);
    await ended;
    assertEquals(newsOf(events), [...expected]);
    assertEquals(conn.closed, true);
  }
});
