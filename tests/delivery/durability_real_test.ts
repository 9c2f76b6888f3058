import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import {
  type Listener,
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { filesIn, messagesIn, withoutTrace } from "../support/maildir.ts";
import { SmtpClient } from "../../testing/client.ts";

/** How often the listener is killed. */
const ROUNDS = 4;

/** How many clients deliver at the same time. */
const CLIENTS = 4;

/** The process is killed when so many messages have been accepted. */
const ACCEPTED_BEFORE_KILL = 25;

/** What ends every message: one without it is a part of one. */
const MARKER = "-- the end of";

/** The message with a number: mostly small ones, each ninth a large one. */
function newMessage(name: string, number: number): string {
  const lines = number % 9 === 4 ? 8_000 : number % 50;
  return [
    `Subject: ${name}`,
    "",
    ...Array.from({ length: lines }, (_, i) => `${name} line ${i}`),
    `${MARKER} ${name}`,
    "",
  ].join("\r\n");
}

/** What came of the deliveries before the listener died. */
interface Deliveries {
  /** All messages that a client has begun to send. */
  readonly begun: string[];
  /** Those that were answered with 250. */
  readonly accepted: string[];
}

/** Delivers message after message until the connection breaks. */
async function deliverAll(
  port: number,
  client: string,
  deliveries: Deliveries,
  onAccepted: () => void,
): Promise<void> {
  using connection = await SmtpClient.greeted(port);
  await connection.login(USER, PASSWORD);
  for (let number = 0;; number++) {
    const message = newMessage(`${client}, message ${number}`, number);
    await connection.envelope();
    deliveries.begun.push(message);
    await connection.sendRaw(`${message}.\r\n`);
    await connection.expect("250 2.0.0");
    deliveries.accepted.push(message);
    onAccepted();
  }
}

/** Lets clients deliver until enough is accepted, and kills the listener then. */
async function deliverAndKill(
  listener: Listener,
  round: number,
): Promise<Deliveries> {
  const deliveries: Deliveries = { begun: [], accepted: [] };
  let killed = false;
  const killInTime = () => {
    if (deliveries.accepted.length < ACCEPTED_BEFORE_KILL + round) return;
    killed = true;
    listener.signal("SIGKILL");
  };
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      const name = `round ${round}, client ${i}`;
      try {
        await deliverAll(listener.port, name, deliveries, () => {
          if (!killed) killInTime();
        });
      } catch (error) {
        if (!killed) throw error;
        // What a client sees of a server that dies.
      }
    }),
  );
  await listener.status;
  return deliveries;
}

Deno.test("main.ts has every message that it answered with 250 in new/, whole, after kill -9, and no part of any", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  const begun = new Set<string>();
  const accepted: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Each round goes on in the maildir of the one before.
    await using listener = await startListener({ maildir });
    const deliveries = await deliverAndKill(listener, round);
    deliveries.begun.forEach((message) => begun.add(message));
    accepted.push(...deliveries.accepted);
  }

  const kept = messagesIn(maildir).map(withoutTrace);
  assertEquals(new Set(kept).size, kept.length, "no message is there twice");
  for (const message of accepted) {
    assert(kept.includes(message), `lost: ${nameOf(message)}`);
  }
  for (const message of kept) {
    assert(begun.has(message), `not what was sent: ${nameOf(message)}`);
    assert(message.includes(`\r\n${MARKER} `), nameOf(message));
  }
  // At most the message that each client was at when the process died.
  assert(kept.length - accepted.length <= ROUNDS * CLIENTS);
});

function nameOf(message: string): string {
  return message.slice(0, 60);
}

Deno.test("main.ts leaves what was cut off by kill -9 in tmp/, and takes mail again at the next start", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  {
    await using listener = await startListener({ maildir });
    using client = await SmtpClient.greeted(listener.port);
    await client.login(USER, PASSWORD);
    await client.envelope();
    await client.send("cut off", ".", "NOOP");
    await client.expect("250 2.0.0", "250 2.0.0");
    await client.envelope();
    await client.send("in the middle");
    await eventually(
      "the message is in tmp/",
      () => filesIn(maildir, "tmp").length === 1,
    );
    const { signal } = await listener.kill();
    assertEquals(signal, "SIGKILL");
  }
  const before = filesIn(maildir, "tmp");
  await using listener = await startListener({ maildir });
  using client = await SmtpClient.greeted(listener.port);
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("after", ".");
  await client.expect("250 2.0.0");
  assertEquals(filesIn(maildir, "tmp"), before);
  assertNotEquals(before, []);
  assertEquals(messagesIn(maildir).map(withoutTrace).sort(), [
    "after\r\n",
    "cut off\r\n",
  ]);
});
