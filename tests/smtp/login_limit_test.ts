import type { AuthDecision } from "../../auth/types.ts";
import { newDeadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import type { ConnectionContext } from "../../smtp/connection_context.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { assertEquals } from "../support/assert.ts";
import {
  HandConn,
  newContext,
  newHandTicks,
  settled,
} from "../support/hand_conn.ts";
import { PEER, RULES } from "../support/session.ts";

const LOGIN = `EHLO x\r\nAUTH PLAIN ${btoa("\0ann\0secret")}\r\n`;

/** A client and the time, both moved by the test. */
interface Visit extends AsyncDisposable {
  readonly conn: HandConn;
  /** What the connection becomes with STARTTLS. */
  readonly encrypted: HandConn;
  readonly events: SmtpEvent[];
  /** Lets seconds pass. */
  readonly pass: (seconds: number) => Promise<void>;
  /** The client says something. */
  readonly says: (text: string) => Promise<void>;
  /** The code and enhanced code of the last reply. */
  readonly last: () => string | undefined;
}

async function visit(part: Partial<ConnectionContext> = {}): Promise<Visit> {
  const clock = newHandTicks();
  const conn = new HandConn();
  const encrypted = new HandConn();
  const events: SmtpEvent[] = [];
  const context = newContext({
    deadlines: newDeadlines(1_000),
    report: (event) => events.push(event),
    encrypt: () => Promise.resolve(encrypted),
    ...part,
  });
  const ended = new Connection(conn, PEER, context).run([]);
  await settled();
  return {
    conn,
    encrypted,
    events,
    async pass(seconds) {
      clock.tick(seconds);
      await settled();
    },
    async says(text) {
      conn.says(text);
      await settled();
    },
    last: () =>
      conn.written.at(-1)?.split("\r\n").at(-2)?.split(" ").slice(0, 2)
        .join(" "),
    async [Symbol.asyncDispose]() {
      conn.says(null);
      encrypted.says(null);
      await ended;
      clock[Symbol.dispose]();
    },
  };
}

/** What a client says again and again to be kept. */
const CHATTER = {
  "NOOP": "NOOP\r\n",
  "RSET": "RSET\r\n",
  "EHLO": "EHLO x\r\n",
  "a cancelled AUTH": "AUTH LOGIN\r\n*\r\n",
  "half of a line": "NO",
} as const;

for (const [what, text] of Object.entries(CHATTER)) {
  Deno.test(`a client that says ${what} every 20 s leaves in the sixth minute`, async () => {
    await using client = await visit();
    await client.pass(20);
    await client.says("EHLO x\r\n");
    for (let second = 40; second < 300; second += 20) {
      await client.pass(20);
      await client.says(text);
      assertEquals(client.conn.closed, false, `${second} s`);
    }
    assertEquals(client.last()?.slice(0, 3) === "421", false);
    await client.pass(22);
    assertEquals(client.last(), "421 4.7.0");
    assertEquals(client.events.filter(({ kind }) => kind === "closed"), [{
      kind: "closed",
      reason: "no-login",
      via: "smtp",
      id: PEER.id,
      remoteIp: PEER.remoteIp,
      tls: PEER.tls,
    }]);
  });
}

Deno.test("a client that says nothing for --idle-timeout is told so, and not of a login", async () => {
  await using client = await visit();
  await client.pass(302);
  assertEquals(client.last(), "421 4.4.2");
});

Deno.test("a client with a login may stay as long as it says something", async () => {
  await using client = await visit();
  await client.says(LOGIN);
  for (let minute = 0; minute < 60; minute += 4) {
    await client.pass(240);
    await client.says("NOOP\r\n");
    assertEquals(client.last(), "250 2.0.0");
  }
});

Deno.test("a client may stay where no login is required", async () => {
  await using client = await visit({
    rules: { ...RULES, authRequired: false },
  });
  for (let minute = 0; minute < 60; minute += 4) {
    await client.pass(240);
    await client.says("NOOP\r\n");
    assertEquals(client.last(), "250 2.0.0");
  }
});

Deno.test("STARTTLS gives a client no more time for its login", async () => {
  await using client = await visit({ rules: { ...RULES, startTls: true } });
  const { encrypted } = client;
  await client.pass(200);
  await client.says("STARTTLS\r\n");
  encrypted.says("EHLO x\r\n");
  await settled();
  await client.pass(99);
  assertEquals(encrypted.written.length, 1);
  await client.pass(3);
  assertEquals(encrypted.written.at(-1)?.slice(0, 10), "421 4.7.0 ");
});

Deno.test("a client whose login STARTTLS forgets has five minutes for the next", async () => {
  await using client = await visit({ rules: { ...RULES, startTls: true } });
  const { encrypted } = client;
  await client.says(LOGIN);
  for (let minute = 0; minute < 60; minute += 4) {
    await client.pass(240);
    await client.says("NOOP\r\n");
  }
  await client.says("STARTTLS\r\n");
  encrypted.says("EHLO x\r\n");
  await settled();
  await client.pass(200);
  encrypted.says("NOOP\r\n");
  await client.pass(99);
  assertEquals(encrypted.written.length, 2);
  await client.pass(3);
  assertEquals(encrypted.written.at(-1)?.slice(0, 10), "421 4.7.0 ");
});

for (const decision of ["authInvalid", "authFailure", "authOk"] as const) {
  Deno.test(`a provider that says ${decision} in the sixth minute has the last word only then`, async () => {
    const { promise, resolve } = Promise.withResolvers<AuthDecision>();
    await using client = await visit({ provider: () => promise });
    await client.pass(290);
    await client.says(`${LOGIN}NOOP\r\n`);
    await client.pass(30);
    resolve(decision);
    await settled();
    const replies = client.conn.written.slice(2).join("").split("\r\n")
      .map((line) => line.slice(0, 9));
    assertEquals(
      replies,
      decision === "authOk" ? ["235 2.7.0", "250 2.0.0", ""] : [
        decision === "authInvalid" ? "535 5.7.8" : "454 4.7.0",
        "421 4.7.0",
        "",
      ],
    );
  });
}
