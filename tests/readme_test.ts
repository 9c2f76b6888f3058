import {
  defaultOf,
  FLAG_NAMES,
  flagOf,
  FLAGS,
  PREFIX,
  variableOf,
} from "../command/flags/table.ts";
import { usageOf } from "../command/help.ts";
import { newHTTPAuthProvider } from "../auth/providers/http.ts";
import { assert, assertEquals, assertExists } from "./support/assert.ts";
import { decisionOf } from "./support/asked_provider.ts";
import { newRequest } from "./support/auth_request.ts";
import { mustHappen } from "./support/deadline.ts";
import { testCertificate } from "./support/certificate.ts";
import { startListener, temporaryFolder } from "./support/listener.ts";
import { codeBlocks, placed } from "./support/pages.ts";
import { SmtpClient } from "./support/smtp_client.ts";

const README = Deno.readTextFileSync(new URL("../README.md", import.meta.url));

Deno.test("README.md's endpoint answers the HTTP provider as the table says", async () => {
  using cleanUp = new DisposableStack();
  const [, source] = /```ts ignore\n([^`]*Deno\.serve[^`]*)```/.exec(README) ??
    [];
  assertExists(source);
  assert(source.split("\n").filter((line) => line !== "").length <= 10);
  const path = `${temporaryFolder(cleanUp)}/endpoint.ts`;
  Deno.writeTextFileSync(path, source.replace("port: 8025", "port: 0"));
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", path],
    stderr: "piped",
    stdout: "null",
  }).spawn();
  // Deno.serve says on stderr where it listens.
  let text = "";
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  while (!/:([0-9]+)\//.test(text)) {
    const { value, done } = await mustHappen(reader.read(), "it listens");
    if (done) throw new Error(`The endpoint has ended: ${text}`);
    text += value;
  }
  const [, port] = /:([0-9]+)\//.exec(text) ?? [];

  const client = Deno.createHttpClient({});
  cleanUp.defer(() => client.close());
  const ask = async (bearerToken: string, password: string) => {
    const provider = newHTTPAuthProvider(`http://127.0.0.1:${port}/`, {
      bearerToken,
      timeoutMs: 10_000,
      fetch: (input, init) => fetch(input, { ...init, client }),
    });
    return await decisionOf(
      provider,
      newRequest({ username: "ann@example.com", password }),
    );
  };
  assertEquals(await ask("change-me", "correct horse"), "authOk");
  assertEquals(await ask("change-me", "wrong"), "authInvalid");
  assertEquals(await ask("somebody-else", "correct horse"), "authFailure");
  child.kill();
  await reader.cancel();
});

/** The cells of the README's table of flags, row by row. */
function flagRows(): string[][] {
  const [, table = ""] = /\n## Flags\n[^]*?\n(\|[^]*?\|)\n\n/.exec(README) ??
    [];
  const rows = table.split("\n").map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  // Without heading and rule.
  return rows.slice(2);
}

Deno.test("README.md's table of flags is that of the command", () => {
  const code = (text: string) => `\`${text}\``;
  const expected = FLAG_NAMES.map((name) => [
    flagOf(name) === undefined ? "no flag" : code(usageOf(name)),
    code(variableOf(name).replace(PREFIX, "…")),
    defaultOf(name) ?? "none",
    FLAGS[name].help,
  ]);
  assertEquals(flagRows(), expected);
});

Deno.test("README.md's narrower permissions are enough, as printed", async () => {
  const [block] = codeBlocks("README.md", "sh")
    .filter((block) => block.includes("--allow-read"));
  const { cert, key } = await testCertificate();
  await using cleanUp = new AsyncDisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.mkdirSync(`${folder}/etc`);
  Deno.writeTextFileSync(`${folder}/etc/fullchain.pem`, cert);
  Deno.writeTextFileSync(`${folder}/etc/privkey.pem`, key);
  const words = placed(block, {
    "/etc/smtpauth": `${folder}/etc`,
    "/var/mail/out": `${folder}/out`,
  }).replaceAll("\\\n", " ").trim().split(/\s+/);
  const main = words.indexOf("main.ts");
  assertEquals(words.slice(0, 2), ["deno", "run"]);
  await using listener = await startListener({
    authUrl: "http://127.0.0.1:9/",
    permissions: words.slice(2, main),
    args: words.slice(main + 1),
    cwd: folder,
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.startTls(cert);
  await client.command("QUIT", "221");
  await client.expectEnd();
  await listener.stop();
  assertEquals(listener.log().filter(({ level }) => level !== "info"), []);
});
