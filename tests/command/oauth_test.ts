import { serveTestIssuer } from "../../testing/served_issuer.ts";
import { check } from "../../command/check.ts";
import { readInvocation } from "../../command/invocation.ts";
import type { Settings } from "../../command/settings.ts";
import { offerOf } from "../../command/mechanisms.ts";
import { UsageError } from "../../command/values.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { findSecret, place } from "../support/canary.ts";
import { PASSWORD, temporaryFolder, USER } from "../support/listener.ts";
import { flagsFor, oauthbearer, xoauth2 } from "../support/oauth/lines.ts";
import { LOCAL, startServing } from "../support/served.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

type Variables = Readonly<Record<string, string>>;

const ISSUER = [
  ...["--oauth-issuer", "https://sso.example/realms/staff"],
  ...["--oauth-audience", "smtp", "--oauth-claim", "email"],
];

/** What the issuer knows us by. */
const CLIENT: Variables = {
  MEOWMAIL_SMTP_OAUTH_CLIENT_ID: "mail server",
  MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET: "s3cret: ä",
};

function settingsOf(args: readonly string[], env: Variables = {}): Settings {
  const invocation = readInvocation(args, () => env, () => new Uint8Array());
  if (invocation.kind !== "serve" && invocation.kind !== "check") {
    throw new Error(invocation.kind);
  }
  return invocation.settings;
}

function complaint(args: readonly string[], env: Variables = {}): string {
  return assertThrows(() => settingsOf(args, env), UsageError).message;
}

Deno.test("readInvocation() reads whose tokens are taken", () => {
  const introspection = ["--oauth-introspection"];
  const rows = [
    [[], undefined],
    [introspection, true],
    [[...introspection, "--port", "0"], true],
    [[...introspection, "on"], true],
    [[...introspection, "off"], undefined],
    [[...introspection, "https://sso.example/i"], "https://sso.example/i"],
  ] as const;
  for (const [args, expected] of rows) {
    const settings = settingsOf([...ISSUER, ...args], CLIENT);
    assertEquals(settings.oauthIssuer, "https://sso.example/realms/staff");
    assertEquals(settings.oauthIntrospection, expected, args.join(" "));
  }
});

Deno.test("readInvocation() reads who we are to an issuer from variables or files", () => {
  const env = {
    MEOWMAIL_SMTP_OAUTH_ISSUER: "https://sso.example",
    MEOWMAIL_SMTP_OAUTH_AUDIENCE: "smtp",
    MEOWMAIL_SMTP_OAUTH_CLAIM: "preferred_username",
    MEOWMAIL_SMTP_OAUTH_SCOPE: "mail",
    MEOWMAIL_SMTP_OAUTH_CLIENT_ID: "mail server",
    MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET_FILE: "/run/secrets/oauth",
  };
  const read = () => new TextEncoder().encode("s3cret\n");
  const invocation = readInvocation([], () => env, read);
  assert(invocation.kind === "serve");
  const { settings } = invocation;
  assertEquals(settings.oauthIssuer, "https://sso.example");
  assertEquals(settings.oauthAudience, "smtp");
  assertEquals(settings.oauthClaim, "preferred_username");
  assertEquals(settings.oauthScope, "mail");
  assertEquals(settings.oauthClientId, "mail server");
  assertEquals(settings.oauthClientSecret, "s3cret");
});

Deno.test("readInvocation() says what is wrong with an issuer, and repeats no secret", () => {
  const rest = ISSUER.slice(2);
  const url =
    "an https:// URL (or http:// on this machine) without credentials and with a port that fetch does not block";
  const rows: readonly (readonly [readonly string[], Variables, string])[] = [
    [
      ["--oauth-issuer", "https://sso.example:10080", ...rest],
      {},
      `--oauth-issuer must be ${url}, and without ? and #`,
    ],
    [
      ["--oauth-issuer", "http://sso.example", ...rest],
      {},
      `--oauth-issuer must be ${url}, and without ? and #`,
    ],
    [
      ["--oauth-issuer", "https://me:secret@sso.example", ...rest],
      {},
      `--oauth-issuer must be ${url}, and without ? and #`,
    ],
    [
      [...ISSUER, "--oauth-introspection", "http://sso.example/i"],
      CLIENT,
      `--oauth-introspection must be on, off or ${url}`,
    ],
    [
      [...ISSUER, "--oauth-introspection="],
      CLIENT,
      "--oauth-introspection needs a value",
    ],
    [
      [...ISSUER, "--oauth-scope", "openid mail"],
      {},
      '--oauth-scope must be one scope: visible ASCII without spaces, not "openid mail"',
    ],
    [ISSUER.slice(0, 4), {}, "--oauth-issuer needs --oauth-claim"],
    [ISSUER.slice(0, 2), {}, "--oauth-issuer needs --oauth-audience"],
    [rest, {}, "--oauth-audience needs --oauth-issuer"],
    [["--oauth-scope", "mail"], {}, "--oauth-scope needs --oauth-issuer"],
    [
      [...ISSUER, "--oauth-introspection"],
      {},
      "--oauth-introspection needs MEOWMAIL_SMTP_OAUTH_CLIENT_ID",
    ],
    [
      ISSUER,
      { MEOWMAIL_SMTP_OAUTH_CLIENT_ID: "me" },
      "MEOWMAIL_SMTP_OAUTH_CLIENT_ID needs MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET",
    ],
    [
      ISSUER,
      { MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET: "s" },
      "MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET needs MEOWMAIL_SMTP_OAUTH_CLIENT_ID",
    ],
    [
      [...ISSUER, "--mechanisms", "PLAIN", "--users", "f"],
      {},
      "--oauth-issuer needs --mechanisms to have XOAUTH2 or OAUTHBEARER",
    ],
    ...[["--mechanisms", "PLAIN,XOAUTH2"], ["--saslauthd-socket", "/s"]].map(
      (args) =>
        [
          [...ISSUER, ...args],
          {},
          `${
            args[0]
          } takes passwords, and needs --users, --auth-url, --auth-dovecot, or MEOWMAIL_SMTP_USER and MEOWMAIL_SMTP_PASS`,
        ] as const,
    ),
  ];
  for (const [args, env, words] of rows) {
    assertEquals(complaint(args, env), words);
  }
});

Deno.test("offerOf() offers tokens with an issuer, and passwords where somebody knows them", () => {
  const tokens = ["XOAUTH2", "OAUTHBEARER"];
  const all = ["PLAIN", "LOGIN", ...tokens];
  const rows: readonly (readonly [readonly string[], readonly string[]])[] = [
    [ISSUER, tokens],
    [[...ISSUER, "--users", "f"], all],
    [[...ISSUER, "--auth-url", "http://127.0.0.1/"], all],
    [[...ISSUER, "--auth-dovecot", "/s"], all],
    [[...ISSUER, "--mechanisms", "OAUTHBEARER"], ["OAUTHBEARER"]],
    [[...ISSUER, "--host", "0.0.0.0"], tokens],
  ];
  for (const [args, expected] of rows) {
    assertEquals(offerOf(settingsOf(args)), expected, args.join(" "));
  }
});

/** Starts the command for an issuer. */
async function startFor(
  cleanUp: AsyncDisposableStack,
  args: readonly string[],
  env: Variables,
) {
  const folder = temporaryFolder(cleanUp);
  const maildir = ["--maildir", `${folder}/maildir`];
  return cleanUp.use(await startServing([...maildir, ...args], env));
}

/** What is offered behind EHLO. */
async function offered(port: number): Promise<string> {
  using client = await SmtpClient.open(port);
  await client.expect("220");
  const { lines } = await client.command("EHLO client.example.net", "250");
  return lines.find((line) => line.startsWith("AUTH ")) ?? "";
}

Deno.test("serve() takes tokens of an issuer, and nothing else with an issuer alone", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  const { port, printed, log } = await startFor(cleanUp, flagsFor(issuer), {});
  assertEquals(printed(), "", "no login is made up");
  assertEquals(await offered(port), "AUTH XOAUTH2 OAUTHBEARER");
  assertEquals(issuer.asked, [], "the start does not need the issuer");
  const token = await issuer.token();
  for (
    const line of [
      `AUTH XOAUTH2 ${xoauth2(token)}`,
      `AUTH OAUTHBEARER ${oauthbearer(token)}`,
      `AUTH OAUTHBEARER ${oauthbearer(token, "ann@example.com")}`,
    ]
  ) {
    using client = await SmtpClient.greeted(port);
    await client.command(line, "235 2.7.0");
    await client.command("MAIL FROM:<ann@example.com>", "250");
  }
  using client = await SmtpClient.greeted(port);
  await client.login("ann@example.com", token, "504");
  assert(!JSON.stringify(log).includes(token), "no token in the log");
  assertEquals(issuer.asked, ["discovery", "keys"]);
});

Deno.test("serve() blames no token for an outage", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  const { port, log } = await startFor(cleanUp, flagsFor(issuer), {});
  issuer.break("500");
  const tokens = [issuer.token(), issuer.token({ aud: "account" })];
  // At once: one after the other, the issuer would be let alone for a second.
  await Promise.all(tokens.map(async (token) => {
    using client = await SmtpClient.greeted(port);
    await client.command(`AUTH XOAUTH2 ${xoauth2(await token)}`, "454 4.7.0");
  }));
  const reasons = log.map(({ fields }) => fields.reason).filter(Boolean);
  assertEquals(reasons, ["backend-status", "backend-status"]);
});

Deno.test("serve() explains a bad token before it refuses it", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  const args = [...flagsFor(issuer), "--oauth-scope", "mail"];
  const { port, log } = await startFor(cleanUp, args, {});
  const good = await issuer.token();
  const bad = await issuer.token({ aud: "account" });
  using client = await SmtpClient.greeted(port);
  const explained = await client.command(
    `AUTH OAUTHBEARER ${oauthbearer(bad)}`,
    "334",
  );
  assertEquals(JSON.parse(atob(explained.lines.join(""))), {
    status: "invalid_token",
    scope: "mail",
    "openid-configuration": `${issuer.url}/.well-known/openid-configuration`,
  });
  await client.command("AQ==", "535 5.7.8");
  await client.command(`AUTH XOAUTH2 ${xoauth2(good, "bob")}`, "334");
  await client.command("", "535 5.7.8");
  await client.command(`AUTH XOAUTH2 ${xoauth2(good)}`, "235 2.7.0");
  const reasons = log.map(({ fields }) => fields.reason).filter(Boolean);
  assertEquals(reasons, ["token-audience", "token-user", "ok"]);
});

Deno.test("serve() asks the issuer about tokens, and all others about passwords", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  const asked: string[] = [];
  const endpoint = cleanUp.use(Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { mechanism, username } = await request.json();
      asked.push(`${mechanism} ${username}`);
      return Response.json({ ok: username === "bob" });
    },
  ));
  const { port } = await startFor(cleanUp, [
    ...flagsFor(issuer),
    ...["--auth-url", `http://127.0.0.1:${endpoint.addr.port}/`],
  ], LOCAL);
  assertEquals(await offered(port), "AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER");
  const token = await issuer.token();
  const logins = [
    ["XOAUTH2", xoauth2(token), "235"],
    ["XOAUTH2", xoauth2("a-password", USER), "334"],
    ["PLAIN", btoa(`\0${USER}\0${PASSWORD}`), "235"],
    ["PLAIN", btoa(`\0bob\0anything`), "235"],
    ["PLAIN", btoa(`\0ann@example.com\0${token}`), "535"],
  ] as const;
  for (const [mechanism, response, status] of logins) {
    using client = await SmtpClient.greeted(port);
    await client.command(`AUTH ${mechanism} ${response}`, status);
  }
  assertEquals(asked, ["PLAIN bob", "PLAIN ann@example.com"]);
});

Deno.test("serve() asks about every token with --oauth-introspection, with the secret of now", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  const env = { ...CLIENT, MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET: "old" };
  const args = [...flagsFor(issuer), "--oauth-introspection"];
  const { port, serving, settings, log } = await startFor(cleanUp, args, env);
  issuer.opaque.set("0paque", issuer.claims());
  using client = await SmtpClient.greeted(port);
  await client.command(`AUTH XOAUTH2 ${xoauth2("0paque")}`, "454 4.7.0");
  const { clientSecret: oauthClientSecret } = issuer;
  serving.reload({ ...settings, oauthClientSecret });
  await client.command(`AUTH XOAUTH2 ${xoauth2("revoked")}`, "334");
  await client.command("", "535 5.7.8");
  await client.command(`AUTH XOAUTH2 ${xoauth2("0paque")}`, "235 2.7.0");
  assertEquals(issuer.count("keys"), 0);
  const places = { log: place(JSON.stringify(log)) };
  for (const secret of ["0paque", "revoked", issuer.clientSecret]) {
    assertEquals(findSecret(secret, places), []);
  }
});

Deno.test("serve() spares the issuer with --auth-cache", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  const { port } = await startFor(cleanUp, [
    ...flagsFor(issuer),
    ...["--oauth-introspection", "--auth-cache", "60000"],
  ], CLIENT);
  issuer.opaque.set("0paque", issuer.claims());
  for (let i = 0; i < 3; i++) {
    using client = await SmtpClient.greeted(port);
    await client.command(`AUTH XOAUTH2 ${xoauth2("0paque")}`, "235");
  }
  assertEquals(issuer.count("introspection"), 1);
});

/** The line of `--check` about an issuer. */
async function checked(
  args: readonly string[],
  env: Variables = {},
): Promise<string> {
  const lines: string[] = [];
  const settings = settingsOf(["--check", ...args], env);
  await check(settings, (line) => lines.push(line));
  return lines.find((line) => line.includes("--oauth-issuer")) ?? "";
}

Deno.test("check() reads what the issuer publishes, and says what a token must have", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { issuer } = cleanUp.use(await serveTestIssuer());
  await issuer.key("EdDSA");
  await issuer.key("ES256");
  const args = flagsFor(issuer);
  const wanted =
    'a token must have "smtp" in aud and the user\'s name in email\n';
  const what = `--oauth-issuer ${issuer.url}:`;
  assertEquals(await checked(args), `ok    ${what} 2 keys; ${wanted}`);
  assertEquals(
    await checked([...args, "--oauth-scope", "mail"], CLIENT),
    `ok    ${what} 2 keys; it knows us; ${
      wanted.replace("and", 'and "mail" in scope and')
    }`,
  );
  assertEquals(
    await checked([...args, "--oauth-introspection"], CLIENT),
    `ok    ${what} it knows us; ${wanted}`,
  );
  const [flag = "", url = "", ...rest] = args;
  assertEquals(
    await checked([flag, `${url}/`, ...rest]),
    `error --oauth-issuer ${url}/: discovery: it calls itself "${url}": it must be what stands in the tokens' iss, letter by letter\n`,
  );
  assertEquals(
    await checked(args, {
      ...CLIENT,
      MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET: "old",
    }),
    `error ${what} introspection: 401: are MEOWMAIL_SMTP_OAUTH_CLIENT_ID and MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET right?\n`,
  );
  issuer.break("redirect");
  assertEquals(
    await checked(args),
    `error ${what} discovery: 302: is this the issuer, as it stands in the tokens' iss?\n`,
  );
});
