// What docs/oauth.md prints, run as printed: only the addresses are the tests'
// own, and the issuer signs what each of the real ones would.

import { serveTestIssuer } from "../testing/served_issuer.ts";
import { assert, assertEquals } from "./support/assert.ts";
import { temporaryFolder } from "./support/listener.ts";
import type { Claims } from "../testing/issuer.ts";
import { oauthbearer, xoauth2 } from "./support/oauth/lines.ts";
import { codeBlocks, placed } from "./support/pages.ts";
import { startServing } from "./support/served.ts";
import { SmtpClient } from "../testing/client.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** One block's issuer, what it says of Ann, and what bites there. */
interface Row {
  readonly issuer: string;
  readonly claims: Claims;
  readonly bites: readonly (readonly [Claims, string])[];
}

const KEYCLOAK: Row = {
  issuer: "https://sso.example/realms/staff",
  claims: {
    aud: ["smtp", "account"],
    typ: "Bearer",
    azp: "thunderbird",
    sid: "8a4c",
    scope: "openid profile email",
    email_verified: true,
    preferred_username: "ann",
  },
  bites: [
    [{ aud: "account" }, "token-audience"],
    [{ aud: undefined }, "token-audience"],
    [{ email_verified: false }, "token-claim"],
    [{ email: undefined }, "token-claim"],
    [{ typ: "ID" }, "token-kind"],
  ],
};

const ROWS: readonly Row[] = [
  KEYCLOAK,
  KEYCLOAK, // the same, and it is asked
  KEYCLOAK, // once more under its own heading
  {
    issuer: "https://sso.example/application/o/mail/",
    claims: {
      aud: "3jLxZkqB5vXn8sYtW2pR7cUd",
      azp: "3jLxZkqB5vXn8sYtW2pR7cUd",
      auth_time: 1_767_225_600,
      uid: "Kp3x",
      scope: "openid email",
    },
    bites: [
      [{ email: undefined }, "token-claim"],
      [{ email_verified: false }, "token-claim"],
    ],
  },
  {
    issuer:
      "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0",
    claims: {
      aud: "66666666-7777-8888-9999-000000000000",
      ver: "2.0",
      scope: undefined,
      scp: "SMTP.Send User.Read",
      email: undefined,
      email_verified: undefined,
      preferred_username: "ann@example.com",
    },
    bites: [
      [{ iss: "https://sts.windows.net/TENANT/" }, "token-issuer"],
      [{ aud: "00000003-0000-0000-c000-000000000000" }, "token-audience"],
      [{ scp: undefined, roles: ["SMTP.Send"] }, "token-scope"],
    ],
  },
  {
    issuer: "https://mail.zitadel.example",
    claims: {
      aud: ["289471094712344577", "289471094712340001"],
      client_id: "289471094712344577",
      username: "ann",
      scope: "openid email",
    },
    bites: [
      [{ aud: ["289471094712344577"] }, "token-audience"],
      [{ email_verified: false }, "token-claim"],
      [{ active: false }, "token-inactive"],
    ],
  },
];

/** The flags and variables of a command, less the files that it names. */
function readCommand(block: string, folder: string) {
  const words = block.replaceAll("\\\n", " ").trim().split(/\s+/);
  const start = words.indexOf("deno");
  assertEquals(words.slice(start, start + 4), ["deno", "run", "-P", "main.ts"]);
  const env = Object.fromEntries(
    words.slice(0, start).map((word) => word.split("=", 2)),
  );
  const id = env.MEOWMAIL_SMTP_OAUTH_CLIENT_ID;
  const args = words.slice(start + 4).map((word) =>
    word === "/etc/smtpauth/users" ? `${folder}/users` : word
  );
  return { args, id };
}

const BLOCKS = codeBlocks("docs/oauth.md", "sh")
  .filter((block) => block.includes("--oauth-issuer"));

Deno.test("docs/oauth.md has a row here for each of its commands", () => {
  assertEquals(BLOCKS.length, ROWS.length);
});

for (const [i, { issuer: printed, claims, bites }] of ROWS.entries()) {
  Deno.test(`docs/oauth.md, command ${i + 1}: ${printed} lets Ann in, and what bites there does not`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const folder = temporaryFolder(cleanUp);
    Deno.writeTextFileSync(`${folder}/users`, "bob:{PLAIN}correct horse\n");
    const path = new URL(printed).pathname.replace(/^\/$/, "");
    const { issuer } = cleanUp.use(await serveTestIssuer({ path }));
    const block = placed(BLOCKS[i], { [printed]: issuer.url });
    const { args, id } = readCommand(block, folder);
    const { port, log } = cleanUp.use(
      await startServing([...args, "--maildir", `${folder}/maildir`], {
        ...(id === undefined ? {} : {
          MEOWMAIL_SMTP_OAUTH_CLIENT_ID: issuer.clientId,
          MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET: issuer.clientSecret,
        }),
      }),
    );
    let count = 0;
    /** A token of the kind that this issuer gives. */
    const token = async (changes: Claims) => {
      const all = { ...claims, ...changes };
      if (id === undefined) return await issuer.token(all);
      issuer.opaque.set(`0paque${++count}`, issuer.claims(all));
      return `0paque${count}`;
    };
    const good = await token({});
    for (
      const line of [
        `AUTH XOAUTH2 ${xoauth2(good)}`,
        `AUTH OAUTHBEARER ${oauthbearer(good)}`,
      ]
    ) {
      using client = await SmtpClient.greeted(port);
      await client.command(line, "235");
    }
    for (const [changes, reason] of bites) {
      using client = await SmtpClient.greeted(port);
      const bad = xoauth2(await token(changes));
      await client.command(`AUTH XOAUTH2 ${bad}`, "334");
      await client.command("", "535");
      assertEquals(log.at(-1)?.fields.reason, reason);
    }
    assert(!JSON.stringify(log).includes(good), "no token in the log");
  });
}
