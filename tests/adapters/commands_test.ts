// The command lines that the pages print are ones that the command takes.

import { readInvocation } from "../../command/invocation.ts";
import type { Settings } from "../../command/settings.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { codeBlocks } from "../support/pages.ts";

/** Environment and arguments of each start of the command in a block. */
function commandLines(block: string) {
  return block.replaceAll("\\\n", " ").split("\n").flatMap((line) => {
    const [before, after] = line.split(/deno (?:run -P main\.ts|task start)/);
    if (after === undefined) return [];
    const words = (text = "") => text.split(" ").filter((word) => word !== "");
    const env = words(before).filter((word) => word.includes("="))
      .map((word) => word.split("="));
    return [{
      env: Object.fromEntries(env.map(([k = "", v = ""]) => [k, v])),
      args: words(after),
    }];
  });
}

/** What the command is to do for each command line of a page. */
function settingsIn(page: string): Settings[] {
  return codeBlocks(page, "sh").flatMap(commandLines).map(({ env, args }) => {
    const read = (path: string) => Deno.readFileSync(path);
    const invocation = readInvocation(args, () => env, read);
    assert(invocation.kind === "serve");
    return invocation.settings;
  });
}

for (
  const [page, count] of [
    ["docs/postfix.md", 3],
    ["docs/exim.md", 2],
    ["docs/nginx.md", 1],
    ["docs/cyrus-sasl.md", 1],
    ["docs/dovecot.md", 1],
  ] as const
) {
  Deno.test(`readInvocation() takes the command lines of ${page}`, () => {
    const all = settingsIn(page);
    assertEquals(all.length, count);
    for (const settings of all) {
      const asks = [
        settings.dovecotSocket,
        settings.saslauthdSocket,
        settings.nginxPort,
        settings.authDovecot,
      ];
      assert(asks.some((each) => each !== undefined), page);
      // Who is asked for by a socket wants no port beside it.
      const { authDovecot, port } = settings;
      assertEquals(port === undefined, authDovecot === undefined, page);
    }
  });
}

Deno.test("readInvocation() takes the command lines of README.md", () => {
  const lives = settingsIn("README.md").map((
    { authUrl, users, relay, deliverUrl },
  ) => [authUrl ?? users, relay ?? deliverUrl]);
  const url = "https://intranet.example/may-send";
  const users = "/etc/smtpauth/users";
  assertEquals(lives, [
    [users, "starttls://smtp.example.com"],
    [undefined, "https://intranet.example/mail"],
    [url, undefined],
    [url, undefined],
  ]);
});
