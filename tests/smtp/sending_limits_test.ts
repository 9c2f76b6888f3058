import type { AuthResult } from "../../auth/types.ts";
import type { LimitReachedEvent } from "../../auth/events.ts";
import { newMemoryStore } from "../../auth/state/memory_store.ts";
import type { Store } from "../../auth/state/store.ts";
import { nextTurn } from "../../lib/next_turn.ts";
import {
  type SendingLimitsOptions,
  withSendingLimits,
} from "../../smtp/sending_limits.ts";
import type { Deliver } from "../../smtp/delivery.ts";
import type { Destination, Mail, Transfer } from "../../smtp/destination.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { SmtpClient } from "../../testing/client.ts";

const ANN = { username: "ann", password: "secret" };
const NOW = Date.UTC(2026, 10, 26);
const MAIL = "MAIL FROM:<ann@example.org>";
const rcpt = (name: string) => `RCPT TO:<${name}@example.net>`;

/** Takes all mail, and keeps what it has taken. */
function newTaking(answer: () => void | SmtpReply = () => {}) {
  const taken: string[] = [];
  const deliver: Deliver = async ({ envelope, body }) => {
    const text = await new Response(body).text();
    const reply = answer();
    if (reply === undefined) taken.push(`${envelope.recipients}: ${text}`);
    return reply;
  };
  return { deliver, taken };
}

/** A listener with limits, a clock that the test moves, and what was told. */
function start(
  to: Deliver | Destination,
  options: SendingLimitsOptions,
  answer: AuthResult = { decision: "authOk" },
) {
  const events: LimitReachedEvent[] = [];
  const clock = { now: NOW };
  const server = serveSmtp(
    { port: 0, provider: () => answer },
    withSendingLimits(to, {
      now: () => clock.now,
      onEvent: (event) => events.push(event),
      ...options,
    }),
  );
  const login = async () => {
    const client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
    await client.login(ANN.username, ANN.password);
    return client;
  };
  return {
    events,
    clock,
    login,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Sends a message to recipients that are all taken; gives the last status. */
async function send(client: SmtpClient, ...names: string[]): Promise<string> {
  await client.send(MAIL, ...names.map(rcpt), "DATA");
  await client.expect("250", ...names.map(() => "250"), "354");
  await client.send("hello", ".");
  return (await client.reply()).status;
}

Deno.test("withSendingLimits() refuses the recipient that is too many; the others get the message", async () => {
  const { deliver, taken } = newTaking();
  await using setting = start(deliver, { recipientsPerDay: 2 });
  using client = await setting.login();
  await client.send(MAIL, rcpt("bob"), rcpt("eve"), rcpt("zoe"), "DATA");
  await client.expect("250", "250", "250");
  const refused = await client.expect("451 4.7.1");
  assertEquals(refused.lines, [
    "Limit of 2 recipients a day is reached, try again in 12 hours",
  ]);
  await client.expect("354");
  await client.command("hello\r\n.", "250 2.0.0");
  assertEquals(taken, ["bob@example.net,eve@example.net: hello\r\n"]);
  // Even one is too many now, and half a day later it is not.
  await client.command(MAIL, "250");
  await client.command(rcpt("zoe"), "451 4.7.1");
  setting.clock.now += 43_200_000;
  await client.command(rcpt("zoe"), "250");
  assertEquals(setting.events, [{
    kind: "limitReached",
    username: "ann",
    remoteIp: "127.0.0.1",
    limit: "recipientsPerDay",
    most: 2,
  }]);
  await client.command("QUIT", "221");
});

Deno.test("withSendingLimits() goes by the answer of the login on the connection", async () => {
  const { deliver, taken } = newTaking();
  await using setting = start(deliver, { recipientsPerDay: 1 }, {
    decision: "authOk",
    user: "ann@example.com",
    limits: { recipientsPerDay: 3 },
  });
  using client = await setting.login();
  assertEquals(await send(client, "bob", "eve"), "250 2.0.0");
  await client.send(MAIL, rcpt("bob"), rcpt("eve"));
  await client.expect("250", "250", "451 4.7.1");
  assertEquals(taken.length, 1);
  assertEquals(
    setting.events.map(({ username, most }) => [username, most]),
    [["ann@example.com", 3]],
  );
  await client.command("QUIT", "221");
});

Deno.test("withSendingLimits() looks once more at the end of a message, and nobody has taken it then", async () => {
  const { deliver, taken } = newTaking();
  await using setting = start(deliver, { messagesPerMinute: 1 });
  using first = await setting.login();
  using second = await setting.login();
  for (const client of [first, second]) {
    await client.send(MAIL, rcpt("bob"), "DATA");
    await client.expect("250", "250", "354");
    await client.send("hello");
  }
  // Who comes to the end first is first.
  await second.command(".", "250 2.0.0");
  const { lines } = await first.command(".", "451 4.7.1");
  assertEquals(lines, [
    "Limit of 1 message a minute is reached, try again in 60 seconds",
  ]);
  assertEquals(taken, ["bob@example.net: hello\r\n"]);
  setting.clock.now += 60_000;
  assertEquals(await send(first, "bob"), "250 2.0.0");
  await first.command("QUIT", "221");
  await second.command("QUIT", "221");
});

Deno.test("withSendingLimits() counts nothing that is refused, broken, or lost", async () => {
  const no: SmtpReply = { code: 550, enhanced: "5.6.0", text: "no" };
  const answers: (() => void | SmtpReply)[] = [
    () => no,
    () => {
      throw new Error("the disk is full");
    },
  ];
  const { deliver, taken } = newTaking(() => answers.shift()?.());
  await using setting = start(deliver, {
    messagesPerMinute: 1,
    recipientsPerDay: 2,
  });
  using client = await setting.login();
  assertEquals(await send(client, "bob", "eve"), "550 5.6.0");
  assertEquals(await send(client, "bob", "eve"), "451 4.3.0");
  await client.send(MAIL, rcpt("bob"), "DATA");
  await client.expect("250", "250", "354");
  await client.sendRaw("bare\nline feed\r\n.\r\n");
  await client.expect("554 5.6.0");
  await client.send(MAIL, rcpt("bob"), "RSET");
  await client.expect("250", "250", "250");
  {
    using lost = await setting.login();
    await lost.send(MAIL, rcpt("bob"), "DATA");
    await lost.expect("250", "250", "354");
    await lost.send("hel");
  }
  assertEquals(await send(client, "bob", "eve"), "250 2.0.0");
  assertEquals(taken.length, 1);
  assertEquals(setting.events, []);
  await client.command("QUIT", "221");
});

/** What the listener tells a destination. */
function mailOf(about: Partial<Mail> = {}): Mail {
  return {
    sender: "ann@example.org",
    parameters: {},
    remoteIp: "192.0.2.7",
    heloName: "laptop",
    esmtp: true,
    tls: true,
    id: "1",
    user: "ann",
    ...about,
  };
}

const { signal } = new AbortController();

/** Begins a transaction. */
async function begin(
  destination: Destination,
  mail: Mail = mailOf(),
): Promise<Transfer> {
  const begun = await destination.begin(mail, signal);
  if ("code" in begun) throw new Error(`refused: ${begun.code}`);
  return begun;
}

function messageTo(count: number, body = new Response("x\r\n").body) {
  const recipients = Array.from(
    { length: count },
    (_, i) => `${i}@example.net`,
  );
  if (body === null) throw new Error("no body");
  return { envelope: { ...mailOf(), recipients }, body } satisfies SmtpMessage;
}

Deno.test("withSendingLimits() takes as many of 1,000 messages at once as the limit says", async () => {
  const { deliver, taken } = newTaking();
  const limited = withSendingLimits(deliver, { recipientsPerDay: 123 });
  const transfers = await Promise.all(
    Array.from({ length: 1000 }, () => begin(limited)),
  );
  // All are let in: nobody has sent anything yet.
  const asked = await Promise.all(
    transfers.map((each) => each.recipient?.("bob@example.net")),
  );
  assertEquals(asked.filter((reply) => reply !== undefined), []);
  const replies = await Promise.all(
    transfers.map((each) => each.message(messageTo(1))),
  );
  assertEquals(replies.filter((reply) => reply === undefined).length, 123);
  assertEquals(
    new Set(replies.map((reply) => reply?.code)),
    new Set([undefined, 451]),
  );
  assertEquals(taken.length, 123);
});

Deno.test("withSendingLimits() goes by the answer's limits, else by the options", async () => {
  const { deliver } = newTaking();
  const limited = withSendingLimits(deliver, { messagesPerMinute: 2 });
  const sent = async (mail: Mail) => {
    let count = 0;
    while (count < 9) {
      const reply = await (await begin(limited, mail)).message(messageTo(1));
      if (reply !== undefined) return count;
      count++;
    }
    return count;
  };
  assertEquals(await sent(mailOf()), 2);
  const own = { user: "bob", limits: { messagesPerMinute: 5 } };
  assertEquals(await sent(mailOf(own)), 5);
  const free = { user: "eve", limits: { messagesPerMinute: 0 } };
  assertEquals(await sent(mailOf(free)), 9);
  const { user: _, ...nobody } = mailOf();
  assertEquals(await sent(nobody), 2);
  assertEquals(await sent(nobody), 0);
  assertEquals(await sent({ ...nobody, remoteIp: "192.0.2.8" }), 2);
});

Deno.test("withSendingLimits() counts what is taken without being read, too", async () => {
  const limited = withSendingLimits(() => {}, { messagesPerMinute: 1 });
  const reply = async () => await (await begin(limited)).message(messageTo(1));
  assertEquals(await reply(), undefined);
  assertEquals((await reply())?.code, 451);
});

Deno.test("withSendingLimits() counts a message once, or not at all, that is answered while it is counted", async () => {
  const memory = newMemoryStore();
  let counting = Promise.withResolvers<void>();
  const store: Store = {
    read: memory.read,
    update: async (keys, change) => {
      counting.resolve();
      // Others have their turns meanwhile, as with a store elsewhere.
      await nextTurn();
      await memory.update(keys, change);
    },
  };
  const answers = [{ code: 550, text: "no" }, undefined, undefined, undefined];
  const limited = withSendingLimits(async ({ body }) => {
    const reader = body.getReader();
    await reader.read();
    // It has seen enough, and is about to learn that this was all.
    reader.read().catch(() => {});
    await counting.promise;
    return answers.shift();
  }, { messagesPerMinute: 2, store });
  const codes: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    counting = Promise.withResolvers();
    const reply = await (await begin(limited)).message(messageTo(1));
    codes.push(reply?.code);
  }
  assertEquals(codes, [550, undefined, undefined, 451]);
});

Deno.test("withSendingLimits() counts recipients that the destination takes", async () => {
  const limited = withSendingLimits({
    begin: () => ({
      recipient: (mailbox) =>
        mailbox.startsWith("eve") ? { code: 550, text: "no" } : undefined,
      message: () => {},
    }),
  }, { recipientsPerDay: 2 });
  const transfer = await begin(limited);
  const codes = [];
  for (const name of ["eve", "bob", "eve", "zoe", "eve", "amy"]) {
    const reply = await transfer.recipient?.(`${name}@example.net`);
    codes.push(reply?.code);
  }
  assertEquals(codes, [550, undefined, 550, undefined, 451, 451]);
});

Deno.test("withSendingLimits() hands on what the destination says at MAIL, and that nothing follows", async () => {
  const no = { code: 550, text: "no" };
  const refusing = withSendingLimits({ begin: () => no }, {
    recipientsPerDay: 1,
  });
  assertEquals(await refusing.begin(mailOf(), signal), no);
  let abandoned = 0;
  const reply = { code: 250, text: "yes" };
  const limited = withSendingLimits({
    begin: () => ({
      reply,
      message: () => {},
      abandon: () => void abandoned++,
    }),
  }, { recipientsPerDay: 1 });
  const transfer = await begin(limited);
  assertEquals(transfer.reply, reply);
  transfer.abandon?.();
  assertEquals(abandoned, 1);
});

Deno.test("withSendingLimits() leaves what an async abandon rejects with to its caller", async () => {
  const limited = withSendingLimits({
    begin: () => ({
      message: () => {},
      abandon: () => Promise.reject(new Error("later")),
    }),
  }, { recipientsPerDay: 1 });
  const abandoned: unknown = (await begin(limited)).abandon?.();
  assert(abandoned instanceof Promise);
  await assertRejects(() => abandoned, Error, "later");
});

Deno.test("withSendingLimits() tells the destination at once that the body has broken", async () => {
  const { promise: broken, resolve } = Promise.withResolvers<unknown>();
  const limited = withSendingLimits({
    begin: () => ({
      // As the relay does while the next hop does not read.
      message: ({ body }) =>
        body.getReader().closed.then(() => {}, (error) => {
          resolve(error);
          throw error;
        }),
    }),
  }, { recipientsPerDay: 1 });
  let fail: ((error: Error) => void) | undefined;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      fail = (error) => controller.error(error);
    },
  });
  const result = (await begin(limited)).message(messageTo(1, body));
  fail?.(new Error("the client has left"));
  await assertRejects(async () => await result, Error, "the client has left");
  assert(await broken instanceof Error);
});

Deno.test("withSendingLimits() lets a destination stop reading", async () => {
  let cancelled: unknown;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  const limited = withSendingLimits(async ({ body }) => {
    await body.cancel("enough");
    return { code: 552, text: "too large" };
  }, { recipientsPerDay: 1 });
  const reply = await (await begin(limited)).message(messageTo(1, body));
  assertEquals(reply?.code, 552);
  await eventually("the cancellation", () => cancelled === "enough");
});

Deno.test("withSendingLimits() throws at what makes no sense", () => {
  const limit = (...args: unknown[]) =>
    Reflect.apply(withSendingLimits, undefined, args);
  assertThrows(
    () => limit({}),
    TypeError,
    "Cannot limit sending: to must be a function, or an object with a function begin",
  );
  assertThrows(
    () => limit(() => {}, { recipientsPerDay: -1 }),
    RangeError,
    "Cannot limit sending: recipientsPerDay must be an integer >= 0: got -1",
  );
  assertThrows(
    () => limit(() => {}, { recipientsPerHour: 1 }),
    TypeError,
    "got recipientsPerHour",
  );
  assertThrows(
    () => limit(() => {}, { storeTimeoutMs: 1001 }),
    RangeError,
    "storeTimeoutMs must be a number > 0 and <= 1000: got 1001",
  );
});
