import config from "../deno.json" with { type: "json" };
import * as mod from "../mod.ts";
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
import { mustHappen } from "../testing/deadline.ts";
import { testCertificate } from "./support/certificate.ts";
import { startListener, temporaryFolder } from "./support/listener.ts";
import { codeBlocks, placed } from "./support/pages.ts";
import { SmtpClient } from "../testing/client.ts";

const ROOT = new URL("../", import.meta.url);
const README = Deno.readTextFileSync(new URL("README.md", ROOT));
const COMMAND = Deno.readTextFileSync(new URL("docs/command.md", ROOT));

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

/** The cells of a page's table of flags, row by row. */
function flagRows(page: string): string[][] {
  const [, table = ""] = /\n(\| flag [^]*?\|)\n\n/.exec(page) ?? [];
  const rows = table.split("\n").map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
  // Without heading and rule.
  return rows.slice(2);
}

Deno.test("docs/command.md's table of flags is that of the command, and README.md's is of it", () => {
  const code = (text: string) => `\`${text}\``;
  const expected = FLAG_NAMES.map((name) => [
    flagOf(name) === undefined ? "no flag" : code(usageOf(name)),
    code(variableOf(name).replace(PREFIX, "…")),
    defaultOf(name) ?? "none",
    FLAGS[name].help,
  ]);
  assertEquals(flagRows(COMMAND), expected);
  const first = flagRows(README);
  assert(first.length > 5);
  assertEquals(
    expected.filter(([flag]) => first.some(([each]) => each === flag)),
    first,
  );
});

Deno.test("README.md says what each function of mod.ts is for, and is short", () => {
  const [, table = ""] = /\n(\| export [^]*?\|)\n\n/.exec(README) ?? [];
  const missing = Object.keys(mod).filter((name) =>
    !table.includes(`\`${name}\``)
  );
  assertEquals(missing, []);
  assert(README.split("\n").length <= 250);
});

/** The pages that are published. */
function pages(): string[] {
  const docs = [...Deno.readDirSync(new URL("docs/", ROOT))]
    .map(({ name }) => `docs/${name}`).filter((name) => name.endsWith(".md"));
  return ["README.md", "SECURITY.md", "CHANGELOG.md", ...docs];
}

Deno.test("every link of the pages leads to what is published", () => {
  const published = config.publish.include;
  for (const page of pages()) {
    const at = new URL(page, ROOT);
    const links = Deno.readTextFileSync(at).matchAll(/\]\(([^)\s]+)\)/g);
    for (const [, link = ""] of links) {
      if (/^https?:/.test(link)) continue;
      const target = new URL(link, at);
      const path = target.pathname.slice(ROOT.pathname.length);
      assert(
        published.some((each) =>
          each === path || each.endsWith("/") && path.startsWith(each)
        ),
        `${page}: ${link} is not published`,
      );
      assert(Deno.statSync(target.pathname).isFile, `${page}: ${link}`);
      if (target.hash !== "") assertHeading(target, `${page}: ${link}`);
    }
  }
});

/** A part of a page begins with a heading that its name is made of. */
function assertHeading({ pathname, hash }: URL, message: string): void {
  const anchors = [
    ...Deno.readTextFileSync(pathname).matchAll(/^#+ (.*)$/gm),
  ].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\w\s-]/g, "").replaceAll(" ", "-")
  );
  assert(anchors.includes(hash.slice(1)), message);
}

Deno.test("docs/command.md's narrower permissions are enough, as printed", async () => {
  const [block] = codeBlocks("docs/command.md", "sh")
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
