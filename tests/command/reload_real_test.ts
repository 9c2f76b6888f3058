import { type Kept, readInvocation } from "../../command/invocation.ts";
import { newReload } from "../../command/reload.ts";
import type { Settings } from "../../command/settings.ts";
import { assertEquals } from "../support/assert.ts";
import { serveHttp } from "../support/http_end.ts";
import { startListener, temporaryFolder } from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** What reads these variables again, whose files are in the map. */
function newReloading(
  variables: Readonly<Record<string, string>>,
  files: ReadonlyMap<string, string>,
) {
  const ask = (kept?: Kept) =>
    readInvocation([], () => variables, (path) => {
      const text = files.get(path);
      if (text === undefined) throw new Deno.errors.NotFound("not there");
      return new TextEncoder().encode(text);
    }, kept);
  const first = ask();
  if (first.kind !== "serve") throw new Error(first.kind);
  const taken: Settings[] = [];
  const said: string[] = [];
  const reload = newReload(
    first.settings,
    ask,
    (settings) => taken.push(settings),
    ({ level, message }) => said.push(`${level}: ${message}`),
  );
  return { reload, taken, said };
}

Deno.test("newReload() hands the secrets of files on, and says what waits for the next start", () => {
  const files = new Map([["pass", "one"], ["size", "1000"]]);
  const { reload, taken, said } = newReloading({
    MEOWMAIL_SMTP_USER: "ann",
    MEOWMAIL_SMTP_PASS_FILE: "pass",
    MEOWMAIL_SMTP_MAX_SIZE_FILE: "size",
  }, files);

  reload();
  files.set("pass", "two").set("size", "2000");
  reload();
  files.set("pass", "s3cret\tpassword").set("size", "1000");
  reload();
  files.set("pass", "three");
  reload();
  assertEquals(taken.map(({ pass }) => pass), ["one", "two", "two", "three"]);
  assertEquals(said, [
    "warn: --max-size has changed: that waits for the next start",
    "error: the old one stays in use: MEOWMAIL_SMTP_PASS_FILE must not contain control characters",
  ]);
});

Deno.test("newReload() takes the good secrets beside bad ones, and says what is wrong with each of those", () => {
  const files = new Map([["auth", "a1"], ["deliver", "d1"], ["size", "1000"]]);
  const { reload, taken, said } = newReloading({
    MEOWMAIL_SMTP_AUTH_URL: "http://127.0.0.1:8080/",
    MEOWMAIL_SMTP_AUTH_TOKEN_FILE: "auth",
    MEOWMAIL_SMTP_DELIVER_URL: "http://127.0.0.1:8081/",
    MEOWMAIL_SMTP_DELIVER_TOKEN_FILE: "deliver",
    MEOWMAIL_SMTP_MAX_SIZE_FILE: "size",
  }, files);

  files.set("auth", "a2").delete("deliver");
  reload();
  files.set("auth", "").set("deliver", "d2").set("size", "large");
  reload();
  files.set("auth", "a3").set("size", "1000");
  reload();
  assertEquals(
    taken.map(({ authToken, deliverToken }) => [authToken, deliverToken]),
    [["a2", "d1"], ["a2", "d2"], ["a3", "d2"]],
  );
  assertEquals(said, [
    "error: the old one stays in use: cannot read MEOWMAIL_SMTP_DELIVER_TOKEN_FILE deliver: not there",
    "error: the old one stays in use: MEOWMAIL_SMTP_AUTH_TOKEN_FILE: the first line of auth is empty",
    "error: the old one stays in use: MEOWMAIL_SMTP_MAX_SIZE_FILE must be a whole number of at least 1",
  ]);
});

Deno.test("newReload() gives no user another one's password", () => {
  const files = new Map([["user", "ann"], ["pass", "one"]]);
  const { reload, taken, said } = newReloading({
    MEOWMAIL_SMTP_USER_FILE: "user",
    MEOWMAIL_SMTP_PASS_FILE: "pass",
    MEOWMAIL_SMTP_RELAY: "smtp://127.0.0.1",
    MEOWMAIL_SMTP_RELAY_USER_FILE: "user",
    MEOWMAIL_SMTP_RELAY_PASS_FILE: "pass",
  }, files);

  files.set("user", "bob").delete("pass");
  reload();
  files.set("pass", "two").delete("user");
  reload();
  files.set("user", "bob");
  reload();
  assertEquals(
    taken.map((all) => [all.user, all.pass, all.relayUser, all.relayPass]),
    [
      ["ann", "one", "ann", "one"],
      ["ann", "one", "ann", "one"],
      ["bob", "two", "bob", "two"],
    ],
  );
  assertEquals(said.length, 4);
});

/** What happens to a login at a port. */
async function login(port: number, user: string, pass: string, status: string) {
  using client = await SmtpClient.greeted(port);
  await client.login(user, pass, status);
  await client.command("QUIT", "221");
  await client.expectEnd();
}

Deno.test("main.ts reads users, passwords and tokens again on SIGHUP, and keeps the old ones if they are bad", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const cwd = temporaryFolder(cleanUp);
  const write = (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      Deno.writeTextFileSync(`${cwd}/${name}`, text);
    }
  };
  write({ pass: "one", token: "t1", users: "bob:{PLAIN}one\n" });
  await using end = serveHttp(() => Response.json({ ok: true }));
  await using listener = await startListener({
    cwd,
    authUrl: end.url,
    args: ["--users", "users", "--auth-timeout", "20000"],
    env: {
      MEOWMAIL_SMTP_USER: "ann",
      MEOWMAIL_SMTP_PASS_FILE: "pass",
      MEOWMAIL_SMTP_AUTH_TOKEN_FILE: "token",
    },
  });
  const { port } = listener;
  // Who is at hand is asked first; whom they refuse, the endpoint is asked about.
  const tokens = () =>
    end.requests.map(({ headers }) => headers.get("authorization"));
  await login(port, "ann", "one", "235");
  await login(port, "bob", "one", "235");
  await login(port, "eve", "one", "235");
  assertEquals(tokens(), ["Bearer t1"]);

  write({ pass: "two", token: "t2", users: "bob:{PLAIN}two\n" });
  listener.signal("SIGHUP");
  await listener.logged(/new users in use/);
  await login(port, "ann", "two", "235");
  await login(port, "bob", "two", "235");
  assertEquals(tokens(), ["Bearer t1"]);
  await login(port, "eve", "one", "235");
  assertEquals(tokens(), ["Bearer t1", "Bearer t2"]);

  write({ pass: "", token: "t3", users: "bob:two\n" });
  listener.signal("SIGHUP");
  await listener.logged(/the old one stays in use: .*PASS_FILE/);
  await listener.logged(
    /the old users stay in use: .*line 1: the hash must be/,
  );
  await login(port, "ann", "two", "235");
  await login(port, "bob", "two", "235");
  // The good one is taken all the same.
  await login(port, "eve", "one", "235");
  assertEquals(tokens(), ["Bearer t1", "Bearer t2", "Bearer t3"]);
});

Deno.test("main.ts serves on where files have become pipes that nobody writes to", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const cwd = temporaryFolder(cleanUp);
  const files = { pass: "one", users: "bob:{PLAIN}one\n" };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${cwd}/${name}`, text);
  }
  await using end = serveHttp(() => Response.json({ ok: false }));
  await using listener = await startListener({
    cwd,
    authUrl: end.url,
    args: ["--users", "users"],
    env: { MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS_FILE: "pass" },
  });
  for (const name of Object.keys(files)) {
    Deno.removeSync(`${cwd}/${name}`);
    const args = [`${cwd}/${name}`];
    await new Deno.Command("mkfifo", { args }).output();
  }
  listener.signal("SIGHUP");
  await listener.logged(
    /the old one stays in use: .*PASS_FILE.*not a regular file/,
  );
  await listener.logged(/the old users stay in use: .*not a regular file/);
  await login(listener.port, "ann", "one", "235");
  await login(listener.port, "bob", "one", "235");
});
