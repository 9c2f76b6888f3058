import { LOGIN } from "../../mod.ts";
import {
  CLIENT_NAMES,
  newTestServer,
  sendAs,
  type TestServer,
} from "../../testing.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const MAIL = {
  username: "jörg@example.com",
  password: "pä ßwört%41+€",
  sender: "ann@example.org",
  recipients: ["bob@example.net", "eve@example.com"],
  text: "Subject: dots\r\n\r\n.\r\n..\r\nx.\r\n",
} as const;

/** Sends as each program does, and tells how each message has arrived. */
async function sendAsAll(server: TestServer): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (const name of CLIENT_NAMES) {
    using client = await server.open();
    const { status } = await sendAs(client, name, MAIL);
    const { envelope, text } = await server.nextMessage();
    const { user, sender, recipients } = envelope;
    rows.push([name, status, user, sender, recipients, text]);
  }
  return rows;
}

const ARRIVED = CLIENT_NAMES.map((name) => [
  name,
  "250 2.0.0",
  MAIL.username,
  MAIL.sender,
  MAIL.recipients,
  name === "PHPMailer" ? `${MAIL.text}\r\n` : MAIL.text,
]);

for (const inMemory of [true, false]) {
  const where = inMemory ? "in memory" : "at a port";
  Deno.test(`serveSmtp() takes a message of every client with habits of its own, ${where}`, async () => {
    const asked: string[] = [];
    await using server = newTestServer({
      inMemory,
      provider: ({ username, password }) => {
        asked.push(password);
        return username === MAIL.username && password === MAIL.password
          ? "authOk"
          : "authInvalid";
      },
    });
    assertEquals(await sendAsAll(server), ARRIVED);
    assertEquals(asked, CLIENT_NAMES.map(() => MAIL.password));
  });
}

Deno.test("sendAs() tells which reply has refused a login or a message", async () => {
  await using server = newTestServer({
    inMemory: true,
    provider: ({ username }) => username === "eve" ? "authInvalid" : "authOk",
    onRecipient: (_mail, mailbox) =>
      mailbox === MAIL.recipients[1]
        ? { code: 550, enhanced: "5.7.1", text: "no" }
        : undefined,
    answer: () => ({ code: 452, enhanced: "4.3.1", text: "full" }),
  });
  const statuses: string[] = [];
  for (
    const mail of [
      { ...MAIL, username: "eve" },
      MAIL,
      { ...MAIL, recipients: ["bob@example.net"] },
    ]
  ) {
    using client = await server.open();
    statuses.push((await sendAs(client, "pipelining", mail)).status);
  }
  assertEquals(statuses, ["535 5.7.8", "550 5.7.1", "452 4.3.1"]);
  assertEquals(server.messages, []);
});

Deno.test("sendAs() as Outlook leaves where the prompts are others", async () => {
  await using server = newTestServer({
    inMemory: true,
    mechanisms: [
      { ...LOGIN, first: { ...LOGIN.first, challenge: btoa("User:") } },
    ],
  });
  using client = await server.open();
  await assertRejects(
    () => sendAs(client, "Outlook", MAIL),
    Error,
    "The prompt must be VXNlcm5hbWU6",
  );
});
