import type { Mail } from "../../smtp/destination.ts";
import { newsOf } from "../support/events.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { serveSmtp, type SmtpServer } from "../../smtp/listener.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import type { ServeSmtpOptions } from "../../smtp/options.ts";
import type { SmtpReply } from "../../smtp/protocol/replies.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const NO: SmtpReply = { code: 550, enhanced: "5.7.1", text: "no" };
const MAIL = "MAIL FROM:<ann@example.org>";
const RCPT = "RCPT TO:<bob@example.net>";

/** A destination that notes what it is asked; the answers are the test's. */
function newNoting(answers: Partial<Record<string, () => unknown>> = {}) {
  const asked: string[] = [];
  const mails: Mail[] = [];
  const signals: AbortSignal[] = [];
  const step = async (name: string, said: string) => {
    asked.push(said === "" ? name : `${name} ${said}`);
    return await answers[name]?.();
  };
  const transfer = {
    recipient: (mailbox: string) => step("recipient", mailbox),
    message: async ({ body }: SmtpMessage) => {
      const text = await new Response(body).text().catch(() => "broken");
      return await step("message", text.trim());
    },
    abandon: () => void step("abandon", ""),
  };
  const destination = {
    begin: async (mail: Mail, signal: AbortSignal) => {
      mails.push(mail);
      signals.push(signal);
      return await step("begin", mail.sender) ?? transfer;
    },
  };
  return { destination, transfer, asked, mails, signals };
}

/**
 * A listener without a login and a client that has greeted it.
 *
 * @param to A destination, whose answers need not be what they should be.
 */
async function start(
  to: object,
  options: Partial<ServeSmtpOptions> = {},
) {
  const events: SmtpEvent[] = [];
  const server: SmtpServer = Reflect.apply(serveSmtp, undefined, [{
    port: 0,
    provider: () => "authInvalid",
    requireAuth: false,
    onEvent: (event: SmtpEvent) => events.push(event),
    ...options,
  }, to]);
  const client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
  return {
    server,
    client,
    events,
    [Symbol.asyncDispose]: async () => {
      client.close();
      await server.shutdown();
    },
  };
}

Deno.test("serveSmtp() asks a destination step by step, and answers in order", async () => {
  const { destination, asked, mails } = newNoting({
    recipient: () => asked.length === 3 ? NO : undefined,
    message: () => ({ code: 250, enhanced: "2.0.0", text: "taken" }),
  });
  await using setting = await start(destination);
  const { client } = setting;
  await client.send(MAIL, RCPT, "RCPT TO:<eve@example.net>", "DATA", "NOOP");
  await client.expect("250 2.1.0", "250 2.1.5", "550 5.7.1", "354");
  await client.sendRaw("hello\r\n.\r\nQUIT\r\n");
  const reply = await client.expect("250 2.0.0");
  assertEquals(reply.lines, ["taken"]);
  await client.expect("221");
  await client.expectEnd();
  assertEquals(asked, [
    "begin ann@example.org",
    "recipient bob@example.net",
    "recipient eve@example.net",
    "message NOOP\r\nhello",
  ]);
  assertEquals(
    mails.map(({ sender, remoteIp, heloName, esmtp, tls }) => ({
      sender,
      remoteIp,
      heloName,
      esmtp,
      tls,
    })),
    [{
      sender: "ann@example.org",
      remoteIp: "127.0.0.1",
      heloName: "client.example.net",
      esmtp: true,
      tls: false,
    }],
  );
  assert(/^[0-9a-z]{9,}$/.test(mails[0]?.id ?? ""));
});

Deno.test("serveSmtp() answers MAIL in the words of the transfer, if they are a yes", async () => {
  const yes = { code: 250, enhanced: "2.1.0", text: "ann may" };
  const ours = ["250 2.1.0", "Sender ok"];
  for (
    const [reply, answer] of [
      [yes, ["250 2.1.0", "ann may"]],
      [{ code: 250, text: "ok" }, ["250", "ok"]],
      [undefined, ours],
      [NO, ours],
      [() => yes, ours],
      [{ code: 250 }, ours],
    ] as const
  ) {
    const { destination, transfer } = newNoting({
      begin: () => ({ ...transfer, reply }),
    });
    await using setting = await start(destination);
    const { client } = setting;
    await client.send(MAIL);
    const { status, lines } = await client.reply();
    assertEquals([status, ...lines], [...answer]);
    await client.command(RCPT, "250 2.1.5");
  }
});

/** The ways in which a transaction can end, and how often it is abandoned. */
const ENDINGS: Readonly<
  Record<string, readonly [(client: SmtpClient) => Promise<unknown>, number]>
> = {
  "RSET": [(client) => client.command("RSET", "250"), 1],
  "EHLO": [(client) => client.command("EHLO again.example", "250"), 1],
  "QUIT": [(client) => client.command("QUIT", "221"), 1],
  "a lost client": [(client) => Promise.resolve(client.close()), 1],
  "an end of file": [(client) => client.closeWrite(), 1],
  "a 421": [async (client) => {
    for (let i = 0; i < 20; i++) await client.send("WHAT");
    await client.rest();
  }, 1],
  "RSET twice and QUIT": [async (client) => {
    await client.send("RSET", "RSET", "QUIT");
    await client.expect("250", "250", "221");
  }, 1],
  "a message": [async (client) => {
    await client.send("DATA");
    await client.expect("354");
    await client.sendRaw("x\r\n.\r\nRSET\r\nQUIT\r\n");
    await client.expect("250", "250", "221");
  }, 0],
  "a message that breaks off": [async (client) => {
    await client.command("DATA", "354");
    await client.sendRaw("x\r\n");
    client.close();
  }, 0],
};

for (const [how, [end, times]] of Object.entries(ENDINGS)) {
  Deno.test(`serveSmtp() abandons a transaction that ends by ${how} ${times} times`, async () => {
    const { destination, asked } = newNoting();
    await using setting = await start(destination);
    const { client, server } = setting;
    await client.command(MAIL, "250");
    await client.command(RCPT, "250");
    await end(client);
    client.close();
    await server.shutdown();
    assertEquals(asked.filter((each) => each === "abandon").length, times);
  });
}

Deno.test("serveSmtp() abandons a transaction when it is shut down at once", async () => {
  const { destination, asked } = newNoting();
  const abort = new AbortController();
  await using setting = await start(destination, { signal: abort.signal });
  await setting.client.command(MAIL, "250");
  abort.abort();
  await setting.client.rest();
  setting.client.close();
  await setting.server.finished;
  assertEquals(asked, ["begin ann@example.org", "abandon"]);
});

Deno.test("serveSmtp() bears an abandon that throws or rejects, and what can't even be looked at", async () => {
  const late = Promise.withResolvers<unknown>();
  const broken = () => {
    throw new Error("broken");
  };
  const begun = [
    { message: () => {}, abandon: broken },
    { message: () => {}, abandon: () => Promise.reject(new Error("later")) },
    late.promise,
  ];
  const signals: AbortSignal[] = [];
  const begin = (_mail: Mail, signal: AbortSignal) => {
    signals.push(signal);
    return begun[signals.length - 1];
  };
  await using setting = await start({ begin });
  const { client, server } = setting;
  for (const _ of [1, 2]) {
    await client.send(MAIL, "RSET");
    await client.expect("250", "250");
  }
  await client.send(MAIL);
  await eventually("the question", () => signals.length === 3);
  client.close();
  await eventually("the abort", () => signals[2]?.aborted);
  late.resolve(Object.defineProperty({}, "message", { get: broken }));
  await server.shutdown();
  // A rejection that nobody handles fails the test.
});

Deno.test("serveSmtp() abandons nothing that was refused, and asks again at the next MAIL", async () => {
  const { destination, asked } = newNoting({ begin: () => NO });
  await using setting = await start(destination);
  const { client, server } = setting;
  await client.command(MAIL, "550 5.7.1");
  await client.command(RCPT, "503 5.5.1");
  await client.command(MAIL, "550 5.7.1");
  await client.command("QUIT", "221");
  await server.shutdown();
  assertEquals(asked, ["begin ann@example.org", "begin ann@example.org"]);
  assertEquals(
    setting.events.flatMap((event) =>
      event.kind === "refused" && event.verb === "MAIL"
        ? [[event.code, event.reason, event.count]]
        : []
    ),
    [[550, "not-taken", 2]],
  );
});

Deno.test("serveSmtp() aborts a question when the client is lost, and abandons what comes of it", async () => {
  const answer = Promise.withResolvers<unknown>();
  const { destination, asked, signals } = newNoting({
    begin: () => answer.promise,
  });
  await using setting = await start(destination);
  const { client, server } = setting;
  await client.send(MAIL);
  await eventually("the question", () => asked.length === 1);
  client.close();
  await eventually("the abort", () => signals[0]?.aborted);
  answer.resolve(undefined);
  await server.shutdown();
  await eventually("the end of it", () => asked.length === 2);
  assertEquals(asked, ["begin ann@example.org", "abandon"]);
  // Clients may go whenever they like.
  assertEquals(newsOf(setting.events), []);
});

Deno.test("serveSmtp() holds what is pipelined behind a question until it is answered", async () => {
  const answer = Promise.withResolvers<unknown>();
  const { destination, asked } = newNoting({ begin: () => answer.promise });
  await using setting = await start(destination);
  const { client } = setting;
  await client.send("NOOP", MAIL, RCPT, "NOOP");
  // What came before the question is answered at once.
  await client.expect("250 2.0.0");
  assertEquals(asked, ["begin ann@example.org"]);
  answer.resolve(undefined);
  await client.expect("250 2.1.0", "250 2.1.5", "250 2.0.0");
});

Deno.test("serveSmtp() answers 451 4.3.0 where a step fails, and tells the log", async () => {
  const broken = () => {
    throw new Error("the database is down");
  };
  const unreadable = (name: string) =>
    Object.defineProperty({}, name, { get: broken });
  for (
    const [answers, replies, error] of [
      [
        { begin: () => unreadable("message") },
        ["451 4.3.0"],
        "Error: the database is down",
      ],
      [
        { recipient: () => unreadable("code") },
        ["250 2.1.0", "451 4.3.0"],
        "Error: the database is down",
      ],
      [{ begin: broken }, ["451 4.3.0"], "Error: the database is down"],
      [
        { begin: () => 5 },
        ["451 4.3.0"],
        "TypeError: the answer must be nothing or an SmtpReply",
      ],
      [
        { begin: () => ({ code: 250, text: "ok" }) },
        ["451 4.3.0"],
        "TypeError: the answer must be nothing or an SmtpReply",
      ],
      [
        { recipient: broken },
        ["250 2.1.0", "451 4.3.0"],
        "Error: the database is down",
      ],
      [
        { recipient: () => "no" },
        ["250 2.1.0", "451 4.3.0"],
        "TypeError: the answer must be nothing or an SmtpReply",
      ],
    ] as const
  ) {
    const { destination } = newNoting(answers);
    await using setting = await start(destination);
    const { client, events } = setting;
    await client.send(...[MAIL, RCPT].slice(0, replies.length));
    await client.expect(...replies);
    assertEquals(
      events.flatMap((event) =>
        event.kind === "stepFailed" ? [[event.step, event.error]] : []
      ),
      [[replies.length === 1 ? "sender" : "recipient", error]],
    );
  }
});

Deno.test("serveSmtp() closes behind a 421 of a step", async () => {
  const reply = { code: 421, enhanced: "4.3.2", text: "going down" };
  const { destination, asked } = newNoting({ recipient: () => reply });
  await using setting = await start(destination);
  const { client } = setting;
  await client.command(MAIL, "250");
  await client.command(RCPT, "421 4.3.2");
  await client.expectEnd();
  client.close();
  await setting.server.shutdown();
  assertEquals(asked.at(-1), "abandon");
});

Deno.test("serveSmtp() asks its hooks before the destination, and a function takes the rest", async () => {
  const asked: string[] = [];
  const server = serveSmtp({
    port: 0,
    provider: () => "authInvalid",
    requireAuth: false,
    onSender: ({ sender }) => {
      asked.push(`sender ${sender}`);
      if (sender === "") return NO;
    },
    onRecipient: ({ sender }, mailbox) => {
      asked.push(`recipient ${mailbox} of ${sender}`);
      return Promise.resolve(mailbox.startsWith("eve") ? NO : undefined);
    },
  }, async ({ envelope, body }) => {
    asked.push(`message to ${envelope.recipients}`);
    await body.cancel();
  });
  {
    using client = await SmtpClient.greeted(server.addrs[0]?.port ?? 0);
    await client.command("MAIL FROM:<>", "550 5.7.1");
    await client.send(MAIL, "RCPT TO:<eve@example.net>", RCPT, "DATA");
    await client.expect("250", "550 5.7.1", "250", "354");
    await client.command("x\r\n.", "250");
  }
  await server.shutdown();
  assertEquals(asked, [
    "sender ",
    "sender ann@example.org",
    "recipient eve@example.net of ann@example.org",
    "recipient bob@example.net of ann@example.org",
    "message to bob@example.net",
  ]);
});

Deno.test("serveSmtp() does not begin what a hook refuses", async () => {
  const { destination, asked } = newNoting();
  await using setting = await start(destination, {
    onSender: () => NO,
  });
  await setting.client.command(MAIL, "550 5.7.1");
  await setting.client.command("QUIT", "221");
  assertEquals(asked, []);
});

Deno.test("serveSmtp() refuses what is no destination", () => {
  for (const to of [undefined, null, 5, {}, { begin: 1 }]) {
    assertThrows(
      () =>
        Reflect.apply(serveSmtp, undefined, [{ provider: () => "authOk" }, to]),
      TypeError,
      "Cannot serve SMTP: to must be a function, or an object with a function begin",
    );
  }
});

Deno.test("serveSmtp() lets a slow step end before it is shut down", async () => {
  const answer = Promise.withResolvers<unknown>();
  const { destination, asked } = newNoting({ recipient: () => answer.promise });
  await using setting = await start(destination);
  const { client, server } = setting;
  await client.send(MAIL, RCPT);
  await client.expect("250");
  await eventually("the question", () => asked.length === 2);
  const finished = server.shutdown();
  answer.resolve(undefined);
  await client.expect("250 2.1.5");
  await client.command("DATA", "354");
  await client.sendRaw("x\r\n.\r\n");
  await client.expect("250", "421");
  client.close();
  await mustHappen(finished, "the listener ends");
});
