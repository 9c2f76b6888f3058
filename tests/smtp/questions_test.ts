// How long others may take for an answer while a client waits.

import { newDeadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import type { ConnectionContext } from "../../smtp/connection_context.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import type { MailHandlers } from "../../smtp/mail_transaction.ts";
import { assertEquals } from "../support/assert.ts";
import {
  HandConn,
  newContext,
  newHandTicks,
  settled,
} from "../support/hand_conn.ts";
import { PEER, RULES } from "../support/session.ts";

const OPEN = { ...RULES, authRequired: false, asksAboutMail: true };
const MAIL = "EHLO x\r\nMAIL FROM:<ann@example.org>\r\n";
const RCPT = "RCPT TO:<bob@example.net>\r\n";

/** A question that nobody answers, and the signal that came with it. */
function newStuck() {
  const signals: (AbortSignal | undefined)[] = [];
  const ask = (signal?: AbortSignal) => {
    signals.push(signal);
    return new Promise<never>(() => {});
  };
  return { ask, signals };
}

type Ask = ReturnType<typeof newStuck>["ask"];

/** Everybody who is asked about mail, stuck at one of the steps. */
const STEPS: Readonly<
  Record<string, readonly [string, (ask: Ask) => MailHandlers]>
> = {
  onSender: ["sender", (ask) => ({
    destination: { begin: () => ({ message() {} }) },
    onSender: (_mail, signal) => ask(signal),
    onRecipient: undefined,
  })],
  begin: ["sender", (ask) => ({
    destination: { begin: (_mail, signal) => ask(signal) },
    onSender: undefined,
    onRecipient: undefined,
  })],
  onRecipient: ["recipient", (ask) => ({
    destination: { begin: () => ({ message() {} }) },
    onSender: undefined,
    onRecipient: (_mail, _mailbox, signal) => ask(signal),
  })],
  recipient: ["recipient", (ask) => ({
    destination: {
      begin: () => ({ message() {}, recipient: () => ask() }),
    },
    onSender: undefined,
    onRecipient: undefined,
  })],
};

/** A client that has said something, and the time, moved by hand. */
async function visit(said: string, part: Partial<ConnectionContext>) {
  const clock = newHandTicks();
  const conn = new HandConn();
  const events: SmtpEvent[] = [];
  const context = newContext({
    deadlines: newDeadlines(1_000),
    report: (event) => events.push(event),
    ...part,
  });
  const connection = new Connection(conn, PEER, context);
  const ended = connection.run([]);
  await settled();
  conn.says(said);
  await settled();
  return {
    conn,
    events,
    connection,
    /** The last reply. */
    last: () => conn.written.at(-1)?.split("\r\n").at(-2)?.slice(0, 9),
    async seconds(count: number) {
      clock.tick(count);
      await settled();
    },
    async [Symbol.asyncDispose]() {
      conn.says(null);
      await ended;
      clock[Symbol.dispose]();
    },
  };
}

for (const [name, [step, handlersOf]] of Object.entries(STEPS)) {
  Deno.test(`${name} has ten minutes, then the client reads 451 and goes on`, async () => {
    const { ask, signals } = newStuck();
    const said = step === "sender" ? MAIL : MAIL + RCPT;
    await using client = await visit(`${said}NOOP\r\n`, {
      rules: OPEN,
      to: handlersOf(ask),
    });
    const before = client.conn.written.length;
    await client.seconds(600);
    assertEquals([client.conn.written.length, client.events], [before, []]);
    await client.seconds(2);
    const replies = client.conn.written.slice(before).join("").split("\r\n");
    assertEquals(replies.map((line) => line.slice(0, 9)), [
      "451 4.3.0",
      "250 2.0.0",
      "",
    ]);
    assertEquals(client.events, [{
      kind: "stepFailed",
      step: step === "sender" ? "sender" : "recipient",
      error: "no answer in time",
      via: "smtp",
      id: PEER.id,
      remoteIp: PEER.remoteIp,
      tls: PEER.tls,
    }]);
    const [signal] = signals;
    // A transfer is not told: it learns from the transaction's end.
    if (signal !== undefined) assertEquals(signal.reason?.name, "TimeoutError");
    assertEquals(signals.length, 1);
  });
}

Deno.test("a provider without a limit of its own has five minutes, then the client reads 454", async () => {
  const { ask, signals } = newStuck();
  await using client = await visit(
    `EHLO x\r\nAUTH PLAIN ${btoa("\0ann\0secret")}\r\n`,
    {
      rules: { ...RULES, authRequired: false },
      provider: (_request, signal) => ask(signal),
    },
  );
  await client.seconds(300);
  assertEquals(client.last(), "250 ENHAN");
  await client.seconds(2);
  assertEquals(client.last(), "454 4.7.0");
  assertEquals(signals[0]?.aborted, true);
  assertEquals(
    client.events.map((event) => event.kind === "auth" && event.outcome),
    ["failure"],
  );
  client.conn.says("NOOP\r\n");
  await settled();
  assertEquals(client.last(), "250 2.0.0");
});

Deno.test("an AUTH that a stop ends is not told of as the client's going", async () => {
  const { ask } = newStuck();
  await using client = await visit(
    `EHLO x\r\nAUTH PLAIN ${btoa("\0ann\0secret")}\r\n`,
    {
      rules: { ...RULES, authRequired: false },
      provider: (_request, signal) => ask(signal),
    },
  );
  client.connection.abort();
  await settled();
  assertEquals(
    client.events.flatMap((event) =>
      event.kind === "auth" ? [[event.outcome, event.reason]] : []
    ),
    [["failure", "interrupted"]],
  );
});

Deno.test("a reset is noticed while a provider is asked, whatever waits behind the AUTH", async () => {
  const { ask, signals } = newStuck();
  const behind = "NOOP\r\n".repeat(5_000);
  await using client = await visit(
    `EHLO x\r\nAUTH PLAIN ${btoa("\0ann\0secret")}\r\n${behind}`,
    {
      rules: { ...RULES, authRequired: false },
      provider: (_request, signal) => ask(signal),
    },
  );
  await client.seconds(60);
  assertEquals(signals.map((signal) => signal?.aborted), [false]);
  client.conn.resets();
  await client.seconds(3);
  assertEquals(signals.map((signal) => signal?.aborted), [true]);
  assertEquals(
    client.events.flatMap((event) =>
      event.kind === "auth" ? [[event.outcome, event.reason]] : []
    ),
    [["failure", "client-gone"]],
  );
});
