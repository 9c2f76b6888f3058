import { readInvocation } from "../../command/invocation.ts";
import { newReload } from "../../command/reload.ts";
import type { Settings } from "../../command/settings.ts";
import { assertEquals } from "../support/assert.ts";
import { serveHttp } from "../support/http_end.ts";
import { startListener, temporaryFolder } from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("newReload() hands the secrets of files on, and says what waits for the next start", () => {
  const files = new Map([["pass", "one"], ["size", "1000"]]);
  const ask = () =>
    readInvocation([], () => ({
      MEOWMAIL_SMTP_USER: "ann",
      MEOWMAIL_SMTP_PASS_FILE: "pass",
      MEOWMAIL_SMTP_MAX_SIZE_FILE: "size",
    }), (path) => new TextEncoder().encode(files.get(path)));
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

  reload();
  files.set("pass", "two").set("size", "2000");
  reload();
  files.set("pass", "s3cret\tpassword");
  reload();
  files.set("pass", "three").set("size", "1000");
  reload();
  assertEquals(taken.map(({ pass }) => pass), ["one", "two", "two", "three"]);
  assertEquals(said, [
    "warn: --max-size has changed: that waits for the next start",
    "error: the old settings stay in use: MEOWMAIL_SMTP_PASS_FILE must not contain control characters",
  ]);
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
  await listener.logged(/the old settings stay in use: .*PASS_FILE/);
  await listener.logged(
    /the old users stay in use: .*line 1: the hash must be/,
  );
  await login(port, "ann", "two", "235");
  await login(port, "bob", "two", "235");
});
