// What docs/relay.md, docs/microsoft-365.md and docs/google-workspace.md print,
// run as printed: only the next hops and the files are the tests' own.

import { assert, assertEquals, assertMatch } from "./support/assert.ts";
import { testCertificate } from "./support/certificate.ts";
import { daemonTest } from "./support/daemons.ts";
import {
  type Listener,
  startListener,
  temporaryFolder,
} from "./support/listener.ts";
import { base64 } from "./support/octets.ts";
import { codeBlocks, placed, printedStart } from "./support/pages.ts";
import { POSTFIX } from "./support/postfix.ts";
import { startPostfixHop } from "./support/postfix_hop.ts";
import { type HopOptions, serveHop } from "./support/scripted_hop.ts";
import { SmtpClient } from "../testing/client.ts";
import { serveTokenHost } from "./support/token_host.ts";

/** The secrets that the pages keep in files. */
const SECRETS: Readonly<Record<string, string>> = {
  "client-secret": "s3cret~of.the-client",
  "app-password": "abcdefghijklmnop",
};

/**
 * Starts the command of a block.
 *
 * @param hop The next hop that it prints, and the one to use.
 */
async function startPrinted(
  [page, block]: readonly [page: string, block: number],
  hop: Readonly<Record<string, string>>,
  cleanUp: AsyncDisposableStack,
  env: Readonly<Record<string, string>> = {},
): Promise<Listener> {
  const folder = temporaryFolder(cleanUp);
  const files = {
    users: codeBlocks("docs/users.md", "text")[0] ?? "",
    ca: (await testCertificate()).cert,
    ...SECRETS,
  };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const printed = placed(codeBlocks(page, "sh")[block], {
    ...hop,
    "/etc/smtpauth": folder,
  });
  const start = printedStart(printed);
  return cleanUp.use(
    await startListener({
      args: [...start.args, "--relay-ca", `${folder}/ca`],
      env: { ...start.env, ...env },
      firstStart: true,
    }),
  );
}

/** A user of docs/users.md sends a message; says how far that comes. */
async function send({ port }: Listener): Promise<string> {
  using client = await SmtpClient.greeted(port);
  await client.login("ann", "correct horse");
  await client.send("MAIL FROM:<ann@example.org>");
  const begun = await client.reply();
  if (begun.status !== "250 2.1.0") return begun.status;
  await client.command("RCPT TO:<bob@example.net>", "250");
  await client.command("DATA", "354");
  await client.send("Subject: x", "", "text", ".");
  return (await client.reply()).status;
}

/** What the log says of the next hop. */
function relayLines(listener: Listener): string[] {
  return listener.log().filter(({ event }) => event === "relay")
    .map(({ reason, detail }) => `${reason}: ${detail}`);
}

/** A next hop with TLS; says what it prints of itself. */
async function hopWithTls(
  cleanUp: AsyncDisposableStack,
  options: HopOptions,
) {
  const certificate = await testCertificate();
  const hop = cleanUp.use(serveHop({ ...options, certificate }));
  return { hop, place: `localhost:${hop.port}` };
}

daemonTest(POSTFIX, "gets what docs/relay.md hands on", async (program) => {
  await using cleanUp = new AsyncDisposableStack();
  const [block = ""] = codeBlocks("docs/relay.md", "sh");
  const { env } = printedStart(block);
  const [user, password] = Object.values(env);
  assert(user !== undefined && password !== undefined);
  const hop = cleanUp.use(
    await startPostfixHop(program, await testCertificate(), {
      [user]: password,
    }),
  );
  const place = `localhost:${hop.submission}`;
  const at = ["docs/relay.md", 0] as const;
  const listener = await startPrinted(
    at,
    { "smtp.example.com": place },
    cleanUp,
  );
  assertEquals(await send(listener), "250 2.0.0");
  const [text = ""] = await hop.arrived(1);
  assertMatch(text, /\nReceived: from client\.example\.net [^]*\nSubject: x\n/);
  assert(hop.log().includes(`sasl_username=${user}`));
});

Deno.test("docs/microsoft-365.md: its command gets a token by the name of the tenant, and logs in with it", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const tokens = cleanUp.use(
    await serveTokenHost("login.microsoftonline.com", () =>
      Response.json({
        token_type: "Bearer",
        expires_in: 3599,
        access_token: "eyJ0eXAi.token",
      })),
  );
  const { hop, place } = await hopWithTls(cleanUp, {
    extensions: ["AUTH LOGIN XOAUTH2"],
  });
  const listener = await startPrinted(
    ["docs/microsoft-365.md", 0],
    { "smtp.office365.com": place },
    cleanUp,
    tokens.env,
  );
  assertEquals(await send(listener), "250 2.0.0");
  assertEquals(tokens.requests, [
    "POST https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token " +
    "application/x-www-form-urlencoded;charset=UTF-8 " +
    "grant_type=client_credentials&client_id=11111111-2222-3333-4444-555555555555&" +
    "client_secret=s3cret%7Eof.the-client&scope=https%3A%2F%2Foutlook.office365.com%2F.default",
  ]);
  const login = base64(
    "user=relay@contoso.example\x01auth=Bearer eyJ0eXAi.token\x01\x01",
  );
  const verbs = hop.lines().map((line) =>
    line.replace(/^(EHLO|MAIL|RCPT) .*/, "$1")
  );
  assertEquals(verbs, [
    ...["EHLO", "STARTTLS", "EHLO", `AUTH XOAUTH2 ${login}`],
    ...["MAIL", "RCPT", "DATA", "."],
  ]);
});

/** What Microsoft says, and the line of docs/microsoft-365.md for it. */
const TROUBLES = [
  [
    "relay-token: status 401 invalid_client AADSTS…",
    () =>
      Response.json({
        error: "invalid_client",
        error_description: "AADSTS7000215: Invalid client secret provided.",
      }, { status: 401 }),
    "235 2.7.0 in\r\n",
  ],
  [
    "relay-token: status 400 …",
    () =>
      Response.json({
        error: "invalid_request",
        error_description: "AADSTS900023: Specified tenant identifier",
      }, { status: 400 }),
    "235 2.7.0 in\r\n",
  ],
  ["relay-credentials: 535 5.7.3", token, "535 5.7.3 unsuccessful\r\n"],
  ["relay-credentials: 535 5.7.139", token, "535 5.7.139 disabled\r\n"],
] as const;

function token(): Response {
  return Response.json({ token_type: "Bearer", access_token: "t" });
}

for (const [line, answer, reply] of TROUBLES) {
  Deno.test(`docs/microsoft-365.md: the log says ${line}`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const tokens = cleanUp.use(
      await serveTokenHost("login.microsoftonline.com", answer),
    );
    const { place } = await hopWithTls(cleanUp, {
      extensions: ["AUTH XOAUTH2"],
      script: { AUTH: reply },
    });
    const listener = await startPrinted(
      ["docs/microsoft-365.md", 0],
      { "smtp.office365.com": place },
      cleanUp,
      tokens.env,
    );
    assertEquals(await send(listener), "451 4.7.0");
    assert(
      codeSpans("docs/microsoft-365.md").includes(line),
      "the page does not say so",
    );
    await listener.logged(/"relay-[a-z]+"/);
    const [said = ""] = relayLines(listener);
    assert(said.startsWith(line.replace("…", "")), said);
    assert(!listener.stderr().includes(SECRETS["client-secret"] ?? ""));
  });
}

/** What a page has in single backticks. */
function codeSpans(page: string): string[] {
  return [...Deno.readTextFileSync(page).matchAll(/`([^`\n]+)`/g)]
    .map(([, text = ""]) => text);
}

Deno.test("docs/google-workspace.md: its first command logs in nowhere, and says its own name", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { hop, place } = await hopWithTls(cleanUp, {
    extensions: ["AUTH LOGIN PLAIN XOAUTH2"],
  });
  const listener = await startPrinted(
    ["docs/google-workspace.md", 0],
    { "smtp-relay.gmail.com": place },
    cleanUp,
  );
  assertEquals(await send(listener), "250 2.0.0");
  const [first, startTls, second, ...rest] = hop.lines();
  assertEquals([first, startTls, second], [
    "EHLO mail.example.com",
    "STARTTLS",
    "EHLO mail.example.com",
  ]);
  assert(!rest.some((line) => line.startsWith("AUTH")));
});

Deno.test("docs/google-workspace.md: its second command logs in with the app password, over TLS from the start", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { hop, place } = await hopWithTls(cleanUp, {
    extensions: ["AUTH LOGIN PLAIN XOAUTH2 OAUTHBEARER"],
    implicitTls: true,
    script: {
      AUTH: (line) =>
        line === `AUTH PLAIN ${base64("\0relay@example.com\0abcdefghijklmnop")}`
          ? "235 2.7.0 in\r\n"
          : "535 5.7.8 no\r\n",
    },
  });
  const listener = await startPrinted(
    ["docs/google-workspace.md", 1],
    { "smtp.gmail.com": place },
    cleanUp,
  );
  assertEquals(await send(listener), "250 2.0.0");
  assertEquals(hop.messages().length, 1);
});
