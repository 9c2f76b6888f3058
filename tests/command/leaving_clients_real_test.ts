import { assertEquals, assertMatch } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Listener,
  PASSWORD,
  startListener,
  USER,
} from "../support/listener.ts";
import {
  filesIn,
  messagesIn,
  onlyMessageIn,
  withoutTrace,
} from "../support/maildir.ts";
import { plain, SmtpClient } from "../../testing/client.ts";
import {
  assertNothingKept,
  events,
  loggedIn,
  startHeld,
} from "../support/listener_session.ts";

Deno.test("main.ts gives a client that closes its sending half behind QUIT every reply", async () => {
  const certificate = await testCertificate();
  const trusted = certificate.cert;
  await using plainText = await startListener();
  await using encrypted = await startListener({ certificate });
  const ways = {
    "plain text": () => loggedIn(plainText.port),
    "implicit TLS": () => loggedIn(encrypted.tlsPort, { trusted }),
    STARTTLS: async () => {
      const client = await SmtpClient.greeted(encrypted.port);
      await client.startTls(trusted);
      await client.command("EHLO client.example.net", "250");
      await client.login(USER, PASSWORD);
      return client;
    },
  };
  for (const [way, open] of Object.entries(ways)) {
    using client = await open();
    await client.envelope();
    await client.send(`over ${way}`, ".", "QUIT");
    await client.closeWrite();
    await client.expect("250 2.0.0", "221");
    await client.expectEnd();
  }
  assertEquals(
    [...messagesIn(plainText.maildir), ...messagesIn(encrypted.maildir)]
      .map(withoutTrace).sort(),
    ["over STARTTLS\r\n", "over implicit TLS\r\n", "over plain text\r\n"],
  );
});

/** A whole conversation: 9 replies. */
const SCRIPT = [
  "EHLO client.example.net",
  `AUTH PLAIN ${plain(USER, PASSWORD)}`,
  "MAIL FROM:<ann@example.org>",
  "RCPT TO:<bob@example.net>",
  "DATA",
  "all at once",
  ".",
  "QUIT",
] as const;
const SCRIPT_REPLIES = [
  ...["220", "250", "235", "250", "250", "354", "250 2.0.0", "221"],
] as const;

Deno.test("main.ts serves a script that sends everything in one write and closes its sending half", async () => {
  await using listener = await startListener();
  using client = await SmtpClient.open(listener.port);
  await client.send(...SCRIPT);
  await client.closeWrite();
  await client.expect(...SCRIPT_REPLIES);
  await client.expectEnd();
  assertEquals(
    withoutTrace(onlyMessageIn(listener.maildir)),
    "all at once\r\n",
  );
});

Deno.test("main.ts does not give up an endpoint for an end of file with commands in front of it", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { listener, asked, answer } = await startHeld(cleanUp);
  using client = await SmtpClient.open(listener.port);
  await client.send(...SCRIPT);
  await client.closeWrite();
  await asked();
  // Whatever came before this conversation has reached the listener.
  using other = await SmtpClient.greeted(listener.port);
  await other.command("QUIT", "221");
  await other.expectEnd();
  answer();
  await client.expect(...SCRIPT_REPLIES);
  await client.expectEnd();
});

/** What the log says of those who leave while the endpoint is asked. */
async function assertGone(listener: Listener): Promise<void> {
  const [line] = await events(listener, "auth");
  assertEquals(line?.reason, "client-gone");
}

const LOGIN = `AUTH PLAIN ${plain("ann", "secret")}`;

Deno.test("main.ts gives up asking the endpoint at an end of file with nothing in front of it", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { listener, asked, gaveUp } = await startHeld(cleanUp);
  using client = await SmtpClient.greeted(listener.port);
  await client.send(LOGIN);
  await asked();
  await client.closeWrite();
  await gaveUp();
  await assertGone(listener);
});

/**
 * A process that connects, sends a text, reads nothing and is killed: with
 * octets unread, the system resets the connection. (A socket that Deno closes
 * says end of file first.)
 */
function spawnClient(port: number, text: string): AsyncDisposable {
  const script = `const conn = await Deno.connect({ port: ${port} });
    await conn.write(new TextEncoder().encode(${JSON.stringify(text)}));
    setInterval(() => {}, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

for (const behind of [[], ["MAIL FROM:<ann@example.org>", "QUIT"]] as const) {
  Deno.test(`main.ts gives up asking the endpoint at a reset with ${behind.length} commands in front of it`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const { listener, asked, gaveUp } = await startHeld(cleanUp);
    const lines = ["EHLO client.example.net", LOGIN, ...behind, ""];
    {
      await using _client = spawnClient(listener.port, lines.join("\r\n"));
      await asked();
    }
    await gaveUp();
    await assertGone(listener);
  });
}

Deno.test("main.ts logs nothing about clients that connect and leave, as health checks do", async () => {
  await using listener = await startListener();
  for (let i = 0; i < 5; i++) {
    (await SmtpClient.open(listener.port)).close();
    using waiting = await SmtpClient.open(listener.port);
    await waiting.expect("220");
    await waiting.closeWrite();
    await waiting.expectEnd();
    using polite = await SmtpClient.open(listener.port);
    await polite.expect("220");
    await polite.command("QUIT", "221");
    await polite.expectEnd();
  }
  await listener.stop();
  assertEquals(listener.log().map(({ message }) => message), [
    `listening on 127.0.0.1:${listener.port}`,
    "stopping on SIGTERM",
    "stopped",
  ]);
});

Deno.test("main.ts logs nothing about clients that connect to the TLS port and leave before a handshake", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  for (let i = 0; i < 5; i++) {
    (await SmtpClient.open(listener.tlsPort)).close();
    using client = await SmtpClient.open(listener.tlsPort);
    await client.closeWrite();
    await client.rest();
  }
  // Whoever is greeted now was accepted behind all of them.
  const trusted = certificate.cert;
  (await SmtpClient.greeted(listener.tlsPort, { trusted })).close();
  await listener.stop();
  const closed = listener.log().filter(({ event }) => event === "closed");
  assertEquals(closed, []);
});

for (const half of [false, true]) {
  const way = half ? "closes its sending half" : "is gone";
  Deno.test(`main.ts drops a message whose client ${way} before its end`, async () => {
    await using listener = await startListener();
    using client = await loggedIn(listener.port);
    await client.envelope();
    await client.send("Subject: never", "", "to be finished", "..");
    await eventually(
      "the message is in tmp/",
      () => filesIn(listener.maildir, "tmp").length === 1,
    );
    if (half) {
      await client.closeWrite();
      await client.expectEnd();
    } else client.close();
    const [line] = await events(listener, "message");
    assertEquals(line?.code, undefined);
    assertMatch(String(line?.message), /lost with its connection/);
    assertNothingKept(listener);
  });
}
