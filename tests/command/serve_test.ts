import { readInvocation } from "../../command/invocation.ts";
import type { LogEntry } from "../../command/log.ts";
import { serve, type Serving } from "../../command/serve.ts";
import { assertEquals, assertMatch, assertRejects } from "../support/assert.ts";
import { PASSWORD, temporaryFolder, USER } from "../support/listener.ts";
import { onlyMessageIn } from "../support/maildir.ts";
import { SmtpClient } from "../support/smtp_client.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const LOCAL = { MEOWMAIL_SMTP_USER: USER, MEOWMAIL_SMTP_PASS: PASSWORD };

/** The command, run by the test itself. */
async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = LOCAL,
) {
  const invocation = readInvocation(
    ["--port", "0", ...args],
    () => env,
    () => new Uint8Array(),
  );
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  const entries: LogEntry[] = [];
  const printed: string[] = [];
  const serving = await serve(invocation.settings, {
    log: (entry) => entries.push(entry),
    print: (text) => printed.push(text),
  });
  const messages = () => entries.map(({ message }) => message);
  return { serving, messages, printed: () => printed.join("") };
}

function portOf({ addrs }: Serving): number {
  return addrs[0]?.port ?? 0;
}

Deno.test("serve() runs a listener that keeps mail and says where it listens", async () => {
  using cleanUp = new DisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  const { serving, messages, printed } = await start(["--maildir", maildir]);
  await using _ = serving;
  const port = portOf(serving);
  assertEquals(messages(), [`listening on 127.0.0.1:${port}`]);
  assertEquals(printed(), "");
  using client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("Subject: x", "", "kept", ".", "QUIT");
  await client.expect("250", "221");
  await client.expectEnd();
  assertMatch(onlyMessageIn(maildir), /kept/);
});

Deno.test("serve() runs adapters alone with --port off, and makes no maildir", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { serving, messages } = await start([
    ...["--port", "off", "--maildir", `${folder}/maildir`],
    ...["--dovecot-socket", `${folder}/auth`],
  ]);
  assertEquals(serving.addrs, []);
  assertEquals(messages(), [`listening on ${folder}/auth for Dovecot auth`]);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["auth"]);
  serving.reload();
  await serving.shutdown();
  assertEquals([...Deno.readDirSync(folder)], []);
});

Deno.test("serve() makes up a login where there is none, and prints it with a line to paste", async () => {
  using cleanUp = new DisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  const { serving, printed } = await start(["--maildir", maildir], {});
  await using _ = serving;
  const [, username = ""] = /^user: (.+)$/m.exec(printed()) ?? [];
  const [, password = ""] = /^password: (.+)$/m.exec(printed()) ?? [];
  assertMatch(printed(), /^curl smtp:/m);
  using client = await SmtpClient.greeted(portOf(serving));
  await client.login(username, password);
  await client.command("QUIT", "221");
  await client.expectEnd();
});

Deno.test("serve() leaves nothing open if an adapter can't be opened", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const error = await assertRejects(
    () =>
      start([
        ...["--maildir", `${folder}/maildir`],
        ...["--dovecot-socket", `${folder}/auth`],
        ...["--saslauthd-socket", `${folder}/missing/mux`],
      ]),
    Error,
  );
  assertEquals(
    error.message,
    `cannot open --saslauthd-socket ${folder}/missing/mux: No such file or directory`,
  );
  assertEquals(
    [...Deno.readDirSync(folder)].map(({ name }) => name),
    ["maildir"],
  );
});

Deno.test("serve() asks a local user's password first, and the endpoint about everybody else", async () => {
  using cleanUp = new DisposableStack();
  const asked: string[] = [];
  await using end = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { username } = await request.json();
      asked.push(username);
      return Response.json({ ok: username === "bob" });
    },
  );
  const { serving } = await start([
    ...["--maildir", `${temporaryFolder(cleanUp)}/maildir`],
    ...["--auth-url", `http://127.0.0.1:${end.addr.port}/`],
    ...["--auth-timeout", "20000"],
  ]);
  await using _ = serving;
  for (
    const [username, status] of [
      [USER, "235"],
      ["bob", "235"],
      ["eve", "535"],
    ] as const
  ) {
    using client = await SmtpClient.greeted(portOf(serving));
    await client.login(username, PASSWORD, status);
    await client.command("QUIT", "221");
    await client.expectEnd();
  }
  assertEquals(asked, ["bob", "eve"]);
});
