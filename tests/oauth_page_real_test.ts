// The endpoint that docs/oauth.md prints for Google, run as printed: only the
// addresses are the tests' own.

import { assert, assertEquals } from "./support/assert.ts";
import { startListener, temporaryFolder } from "./support/listener.ts";
import { xoauth2 } from "./support/oauth/lines.ts";
import { codeBlocks, placed, startPrinted } from "./support/pages.ts";
import { SmtpClient } from "../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const PAGE = "docs/oauth.md";
const CLIENT_ID = "1234567890-mail.apps.googleusercontent.com";

/** What Google says about its tokens, or a fault in its place. */
function serveGoogle(cleanUp: AsyncDisposableStack): string {
  const told = {
    aud: CLIENT_ID,
    email: "ann@example.com",
    email_verified: "true",
    expires_in: "3599",
  };
  const tokens = new Map<string, object>([
    ["ya29.good", told],
    ["ya29.other", { ...told, aud: "1-other.apps.googleusercontent.com" }],
    ["ya29.unchecked", { ...told, email_verified: "false" }],
  ]);
  const server = cleanUp.use(Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const [, token = ""] =
        /^Bearer (.*)$/.exec(request.headers.get("authorization") ?? "") ?? [];
      if (token === "ya29.outage") return new Response("", { status: 503 });
      const answer = tokens.get(token);
      return answer === undefined
        ? Response.json({ error: "invalid_token" }, { status: 400 })
        : Response.json(answer);
    },
  ));
  return `http://127.0.0.1:${server.addr.port}/tokeninfo`;
}

/** Starts the page's endpoint; says where it listens. */
async function startEndpoint(
  tokeninfo: string,
  cleanUp: AsyncDisposableStack,
): Promise<string> {
  const folder = temporaryFolder(cleanUp);
  const [endpoint] = codeBlocks(PAGE, "ts ignore");
  const path = `${folder}/endpoint.ts`;
  Deno.writeTextFileSync(
    path,
    placed(endpoint, {
      "jsr:@meowmail/smtpauth": new URL("../mod.ts", import.meta.url).href,
      "https://oauth2.googleapis.com/tokeninfo": tokeninfo,
      "port: 8080": "port: 0",
    }),
  );
  const config = new URL("../deno.json", import.meta.url).pathname;
  const port = await startPrinted(["--config", config, path], cleanUp);
  return `http://127.0.0.1:${port}/`;
}

Deno.test("docs/oauth.md: its endpoint and its command take tokens of Google", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const url = await startEndpoint(serveGoogle(cleanUp), cleanUp);
  const [command] = codeBlocks(PAGE, "sh")
    .filter((block) => block.includes("--mechanisms"));
  const block = placed(command, { "http://127.0.0.1:8080/": url });
  const words = block.replaceAll("\\\n", " ").trim().split(/\s+/);
  await using listener = await startListener({
    args: words.slice(words.indexOf("main.ts") + 1),
    authUrl: url,
  });
  const rows = [
    ["ya29.good", "ann@example.com", "235"],
    ["ya29.good", "bob@example.com", "334"],
    ["ya29.other", "ann@example.com", "334"],
    ["ya29.unchecked", "ann@example.com", "334"],
    ["ya29.forged", "ann@example.com", "334"],
    ["ya29.outage", "ann@example.com", "454"],
  ] as const;
  for (const [token, username, status] of rows) {
    using client = await SmtpClient.greeted(listener.port);
    const line = `AUTH XOAUTH2 ${xoauth2(token, username)}`;
    await client.command(line, status);
    if (status === "334") await client.command("", "535 5.7.8");
  }
  await listener.stop();
  assertEquals(
    listener.log().filter(({ level }) => level === "error").length,
    1,
  );
  assert(!listener.stderr().includes("ya29"));
});
