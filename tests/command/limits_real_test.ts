// What the command lets users send: flags, what the login's answer says, and
// what Postfix is told of the same counts.

import { assertEquals } from "../support/assert.ts";
import { serveHttp } from "../support/http_end.ts";
import { PASSWORD, temporaryFolder, USER } from "../support/listener.ts";
import { LOCAL, type Served, startServing } from "../support/served.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

function start(
  cleanUp: DisposableStack,
  args: readonly string[],
  env: Readonly<Record<string, string>> = LOCAL,
) {
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  return startServing(["--maildir", maildir, ...args], env);
}

async function login({ port }: Served): Promise<SmtpClient> {
  const client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD);
  return client;
}

/** Sends a message to so many; gives the status of each RCPT and of its end. */
async function send(client: SmtpClient, recipients = 1): Promise<string[]> {
  await client.command(`MAIL FROM:<${USER}>`, "250");
  const statuses: string[] = [];
  for (let i = 0; i < recipients; i++) {
    await client.send(`RCPT TO:<${i}@example.net>`);
    statuses.push((await client.reply()).status);
  }
  if (!statuses.includes("250 2.1.5")) {
    await client.command("RSET", "250");
    return statuses;
  }
  await client.command("DATA", "354");
  await client.send("Subject: x", "", "hello", ".");
  return [...statuses, (await client.reply()).status];
}

/** A Postfix that asks about one user. */
async function connectPolicy(path: string) {
  const conn = await Deno.connect({ transport: "unix", path });
  const ask = async (attributes: Readonly<Record<string, string>>) => {
    const all = {
      request: "smtpd_access_policy",
      sasl_username: USER,
      ...attributes,
    };
    const text = Object.entries(all)
      .map(([name, value]) => `${name}=${value}\n`).join("");
    await conn.write(new TextEncoder().encode(`${text}\n`));
    const space = new Uint8Array(1000);
    const count = await conn.read(space) ?? 0;
    return new TextDecoder().decode(space.subarray(0, count)).trim();
  };
  return { ask, [Symbol.dispose]: () => conn.close() };
}

function warnings({ log }: Served): string[] {
  return log.filter(({ fields }) => fields.event === "limitReached")
    .map(({ level, message }) => `${level} ${message}`);
}

Deno.test("serve() limits each user by --max-recipients-per-day and --max-messages-per-minute", async () => {
  using cleanUp = new DisposableStack();
  await using served = await start(cleanUp, [
    ...["--max-recipients-per-day", "3"],
    ...["--max-messages-per-minute", "2"],
  ]);
  using client = await login(served);
  assertEquals(await send(client), ["250 2.1.5", "250 2.0.0"]);
  assertEquals(await send(client), ["250 2.1.5", "250 2.0.0"]);
  assertEquals(await send(client), ["451 4.7.1"]);
  await client.command("QUIT", "221");
  assertEquals(warnings(served), [
    `warn limit reached by ${USER} from 127.0.0.1: 2 messages a minute`,
  ]);
});

Deno.test("serve() goes by the limits of the endpoint's answer, with and without flags", async () => {
  await using endpoint = serveHttp(() =>
    Response.json({ ok: true, limits: { recipientsPerDay: 1 } })
  );
  for (const flags of [[], ["--max-recipients-per-day", "100"]]) {
    using cleanUp = new DisposableStack();
    await using served = await start(
      cleanUp,
      ["--auth-url", endpoint.url, ...flags],
      {},
    );
    using client = await login(served);
    assertEquals(await send(client, 2), [
      "250 2.1.5",
      "451 4.7.1",
      "250 2.0.0",
    ]);
    await client.command("QUIT", "221");
    assertEquals(warnings(served), [
      `warn limit reached by ${USER} from 127.0.0.1: 1 recipient a day`,
    ]);
  }
});

Deno.test("serve() takes mail from --trusted-networks without a login, limits it by address, and says so", async () => {
  using cleanUp = new DisposableStack();
  await using served = await start(cleanUp, [
    ...["--trusted-networks", "127.0.0.0/8,::1"],
    ...["--max-messages-per-minute", "1"],
  ]);
  using client = await SmtpClient.greeted(served.port);
  assertEquals(await send(client), ["250 2.1.5", "250 2.0.0"]);
  assertEquals(await send(client), ["451 4.7.1"]);
  await client.command("QUIT", "221");
  const [mail] = served.log.filter(({ fields }) => fields.event === "message");
  assertEquals(mail?.fields.trusted, true);
  assertEquals(warnings(served), [
    "warn limit reached by a client from 127.0.0.1: 1 message a minute",
  ]);
});

Deno.test("serve() tells Postfix what a login at the listener has said, and counts both together", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const users = `${folder}/users`;
  Deno.writeTextFileSync(users, `${USER}:{PLAIN}${PASSWORD}:${USER}\n`);
  const socket = `${folder}/policy`;
  await using served = await start(cleanUp, [
    ...["--users", users, "--policy-socket", socket],
    ...["--max-recipients-per-day", "2"],
  ], {});
  assertEquals(
    served.messages().includes(`listening on ${socket} for Postfix policy`),
    true,
  );
  using client = await login(served);
  assertEquals(await send(client), ["250 2.1.5", "250 2.0.0"]);
  using policy = await connectPolicy(socket);
  const { ask } = policy;
  const at = { protocol_state: "RCPT" };
  assertEquals(await ask({ ...at, sender: USER }), "action=DUNNO");
  assertEquals(
    await ask({ ...at, sender: "eve@example.org" }),
    "action=550 5.7.1 <eve@example.org> is not one of your addresses",
  );
  const end = { protocol_state: "END-OF-MESSAGE", recipient_count: "1" };
  assertEquals(await ask({ ...end, instance: "1" }), "action=DUNNO");
  assertEquals(
    await ask({ ...end, instance: "2" }),
    "action=451 4.7.1 Limit of 2 recipients a day is reached, " +
      "try again in 12 hours",
  );
  assertEquals(await send(client), ["451 4.7.1"]);
  await client.command("QUIT", "221");
});
