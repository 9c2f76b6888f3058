// What docs/http-delivery.md prints, run as printed: only the address and the
// port are the tests' own.

import { assert, assertEquals, assertMatch } from "./support/assert.ts";
import { mustHappen } from "../testing/deadline.ts";
import {
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "./support/listener.ts";
import { codeBlocks, placed } from "./support/pages.ts";
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
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-net", "--allow-write", path],
    cwd: folder,
    stderr: "piped",
    stdout: "null",
  }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  cleanUp.defer(async () => {
    child.kill();
    await child.status;
    await reader.cancel();
  });
  let text = "";
  while (!/:([0-9]+)\//.test(text)) {
    const { value, done } = await mustHappen(reader.read(), "it listens");
    if (done) throw new Error(`The endpoint has ended: ${text}`);
    text += value;
  }
  return `http://127.0.0.1:${/:([0-9]+)\//.exec(text)?.[1]}/mail`;
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
