// What docs/http-delivery.md prints, run as printed: only the address and the
// port are the tests' own.

import { assert, assertEquals, assertMatch } from "./support/assert.ts";
import {
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "./support/listener.ts";
import { codeBlocks, placed, startPrinted } from "./support/pages.ts";
import { SmtpClient } from "../testing/client.ts";

const PAGE = "docs/http-delivery.md";

/** Starts the page's endpoint in a folder; says where it listens. */
async function startEndpoint(
  folder: string,
  cleanUp: AsyncDisposableStack,
): Promise<string> {
  const [endpoint = ""] = codeBlocks(PAGE, "ts ignore");
  assert(endpoint.trimEnd().split("\n").length <= 15);
  assert(codeBlocks("README.md", "ts ignore").includes(endpoint));
  const path = `${folder}/endpoint.ts`;
  Deno.writeTextFileSync(path, placed(endpoint, { "8025": "0" }));
  const port = await startPrinted(["--allow-write", path], cleanUp, folder);
  return `http://127.0.0.1:${port}/mail`;
}

Deno.test("docs/http-delivery.md: its command hands mail to its endpoint", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  const url = await startEndpoint(folder, cleanUp);
  const [start = ""] = codeBlocks(PAGE, "sh");
  const [, token = "", flag = "", printed = ""] =
    /^MEOWMAIL_SMTP_DELIVER_TOKEN=(\S+) \\\ndeno run -P main\.ts (\S+) (\S+)\n$/
      .exec(start) ?? [];
  assertEquals(printed, "https://intranet.example/mail");
  await using listener = await startListener({
    args: [flag, url],
    env: { MEOWMAIL_SMTP_DELIVER_TOKEN: token },
    maildir: null,
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login(USER, PASSWORD);
  const send = async (recipient: string, status: string) => {
    await client.command(`MAIL FROM:<${USER}>`, "250");
    await client.command(`RCPT TO:<${recipient}>`, "250");
    await client.command("DATA", "354");
    await client.send("Subject: x", "", "text", ".");
    return (await client.expect(status)).lines.join();
  };
  const accepted = await send("bob@example.com", "250");
  const [, id] = /^Accepted as (\S+)$/.exec(accepted) ?? [];
  const kept = Deno.readTextFileSync(`${folder}/${id}.eml`);
  assertMatch(kept, /^Received: [^]+\r\nSubject: x\r\n\r\ntext\r\n$/);
  assertEquals(await send("eve@example.net", "550"), "not to others");
});
