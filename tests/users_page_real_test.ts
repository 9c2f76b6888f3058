// What docs/users.md prints, run as printed: only the path is the tests' own.

import { assertEquals, assertMatch } from "./support/assert.ts";
import {
  runCommand,
  startListener,
  temporaryFolder,
} from "./support/listener.ts";
import { codeBlocks, placed } from "./support/pages.ts";
import { SmtpClient } from "../testing/client.ts";

const PAGE = "docs/users.md";

/** The arguments of the command behind `main.ts` in a block of the page. */
function argumentsOf(block: string | undefined): readonly string[] {
  const [, args = ""] = /^deno run -P main\.ts (.*)\n$/.exec(block ?? "") ?? [];
  return args.split(" ");
}

Deno.test("docs/users.md: its users log in with its command, and are who they may be", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const [users = ""] = codeBlocks(PAGE, "text");
  Deno.writeTextFileSync(`${folder}/users`, users);
  const [start] = codeBlocks(PAGE, "sh");
  await using listener = await startListener({
    args: argumentsOf(
      placed(start, { "/etc/smtpauth/users": `${folder}/users` }),
    ),
    firstStart: true,
  });
  for (
    const [user, password, sender, status] of [
      ["ann", "correct horse", "anybody@example.net", "250"],
      ["printer", "paper jam", "scanner@example.com", "250"],
      ["printer", "paper jam", "ann@example.com", "550"],
      ["bob@example.com", "battery staple", "bob@EXAMPLE.com", "250"],
      ["bob@example.com", "battery staple", "sales@team.example", "250"],
      ["bob@example.com", "battery staple", "a@sub.team.example", "550"],
    ] as const
  ) {
    using client = await SmtpClient.greeted(listener.port);
    await client.login(user, password);
    await client.command(`MAIL FROM:<${sender}>`, status);
    await client.command("QUIT", "221");
    await client.expectEnd();
  }
  using client = await SmtpClient.greeted(listener.port);
  const wrong = await client.login("ann", "paper jam", "535");
  assertEquals(wrong.lines, [
    "Authentication credentials invalid",
  ]);
});

Deno.test("docs/users.md: its command makes a hash", async () => {
  const [, hash] = codeBlocks(PAGE, "sh");
  const { code, stdout } = await runCommand({
    args: argumentsOf(hash),
    stdin: "correct horse\n",
  });
  assertEquals(code, 0);
  assertMatch(stdout, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+\n$/);
});

Deno.test("docs/users.md: --check says what the page prints of its users", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const [users = ""] = codeBlocks(PAGE, "text");
  Deno.writeTextFileSync(`${folder}/users`, users, { mode: 0o600 });
  const [start] = codeBlocks(PAGE, "sh");
  const { stdout } = await runCommand({
    args: [
      ...argumentsOf(
        placed(start, { "/etc/smtpauth/users": `${folder}/users` }),
      ),
      ...["--check", "--maildir", `${folder}/maildir`],
    ],
  });
  const [, printed = ""] = /`ok (users [^`]+)`/.exec(
    Deno.readTextFileSync(PAGE),
  ) ?? [];
  const [line] = stdout.split("\n");
  assertEquals(
    line,
    `ok    ${placed(printed, { "/etc/smtpauth": folder })}`,
  );
});
