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
  const { settings } = invocation;
  return { serving, settings, messages, printed: () => printed.join("") };
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
  const { serving, settings, messages } = await start([
    ...["--port", "off", "--maildir", `${folder}/maildir`],
    ...["--dovecot-socket", `${folder}/auth`],
  ]);
  assertEquals(serving.addrs, []);
  assertEquals(messages(), [`listening on ${folder}/auth for Dovecot auth`]);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["auth"]);
  serving.reload(settings);
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

Deno.test("serve() refuses to start with a users file that it can't use, and says why", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const users = `${folder}/users`;
  const reasonFor = async () => {
    const maildir = ["--maildir", `${folder}/maildir`];
    const error = await assertRejects(
      () => start([...maildir, "--users", users], {}),
      Error,
    );
    return error.message.replace(`cannot use --users ${users}: `, "");
  };
  assertEquals(await reasonFor(), "No such file or directory");
  for (
    const [content, reason] of [
      ["", "there is no user"],
      [
        "# users\nann:$y$secret\n",
        "line 2: yescrypt ($y$) cannot be checked here: make a new hash with --hash-password",
      ],
      [Uint8Array.of(0x61, 0xff), "it is not UTF-8"],
    ] as const
  ) {
    Deno.writeFileSync(
      users,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    assertEquals(await reasonFor(), reason);
  }
});

Deno.test("serve() loses no login while 500 log in and the users file is replaced 50 times", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const users = `${folder}/users`;
  // ann's password stays, its hash and the other users are others each time.
  const replace = (round: number) => {
    const hash = round % 2 === 0
      ? "$apr1$a$ij/Aka61dStEs8vTEvpfK1"
      : "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$+mWg7mpD2vPhffa1AWlDXg";
    const others = `user${round}:{PLAIN}${round}\n`;
    Deno.writeTextFileSync(`${users}.new`, `${others}ann:${hash}\n`);
    Deno.renameSync(`${users}.new`, users);
  };
  replace(0);
  const { serving, settings, messages } = await start([
    ...["--maildir", `${folder}/maildir`, "--users", users],
  ], {});
  await using _ = serving;
  const logIn = async () => {
    using client = await SmtpClient.greeted(portOf(serving));
    await client.login("ann", "pw");
    await client.command("QUIT", "221");
    await client.expectEnd();
  };
  for (let round = 1; round <= 50; round++) {
    const logins = Array.from({ length: 10 }, logIn);
    await logins[0];
    replace(round);
    serving.reload(settings);
    await Promise.all(logins);
  }
  const taken = messages().filter((message) => message === "new users in use");
  assertEquals(taken.length, 50);
});

Deno.test("serve() hands mail to an endpoint, with the token of the moment", async () => {
  const seen: string[] = [];
  await using end = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const form = await request.formData();
      const { user } = JSON.parse(String(form.get("envelope")));
      seen.push(`${request.headers.get("authorization")} ${user}`);
      return Response.json({ id: `m-${seen.length}` });
    },
  );
  const { serving, settings } = await start([
    ...["--deliver-url", `http://127.0.0.1:${end.addr.port}/`],
  ], { ...LOCAL, MEOWMAIL_SMTP_DELIVER_TOKEN: "t1" });
  await using _ = serving;
  using client = await SmtpClient.greeted(portOf(serving));
  await client.login(USER, PASSWORD);
  for (const name of ["m-1", "m-2"]) {
    await client.envelope();
    await client.send("Subject: x", "", "text", ".");
    const { lines } = await client.expect("250");
    assertEquals(lines, [`Accepted as ${name}`]);
    serving.reload({ ...settings, deliverToken: "t2" });
  }
  assertEquals(seen, [`Bearer t1 ${USER}`, `Bearer t2 ${USER}`]);
});
