// Tokens through Postfix and Exim, which ask the Dovecot server: said line by
// line, and by curl and msmtp.

import { serveDovecotAuth } from "../../adapters/dovecot/server.ts";
import type { ServerEvent } from "../../auth/events.ts";
import type { AuthRequest, AuthResult } from "../../auth/types.ts";
import { clientNamed, run } from "../clients/support.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { longToken } from "../support/bearer_steps.ts";
import { daemonTest, freePort } from "../support/daemons.ts";
import { EXIM_HEAVY, startExim } from "../support/exim_daemon.ts";
import { temporaryFolder } from "../support/listener.ts";
import { base64 } from "../support/octets.ts";
import { codeBlocks, placed } from "../support/pages.ts";
import { newPostfix, POSTFIX, POSTFIX_USER } from "../support/postfix.ts";
import { SmtpClient } from "../../testing/client.ts";

const MECHANISMS = ["XOAUTH2", "OAUTHBEARER"] as const;
type Mechanism = typeof MECHANISMS[number];

const USER = "ann@example.org";

/** What a token begins with says what becomes of it. */
type Word = "good" | "refused" | "outage";

function tokenOf(word: Word, octets = 6144): string {
  return `${word}.${longToken(octets)}`;
}

function decide({ username, password }: AuthRequest): AuthResult {
  assertEquals(username, USER);
  switch (password.split(".")[0]) {
    case "good":
      return { decision: "authOk", user: username };
    case "refused": {
      const tokenError = { status: "insufficient_scope", scope: "mail" };
      return { decision: "authInvalid", text: "Not for mail", tokenError };
    }
    default:
      return { decision: "authFailure" };
  }
}

function messageOf(mechanism: Mechanism, token: string): string {
  return base64(
    mechanism === "XOAUTH2"
      ? `user=${USER}\x01auth=Bearer ${token}\x01\x01`
      : `n,a=${USER},\x01host=a\x01auth=Bearer ${token}\x01\x01`,
  );
}

/** What a server says to each outcome. */
type Replies = Readonly<Record<Word, string>>;

/** Every outcome, with and without an initial response. */
async function checkByHand(port: number, replies: Replies): Promise<void> {
  for (const mechanism of MECHANISMS) {
    for (const word of ["good", "refused", "outage"] as const) {
      for (const atOnce of [true, false]) {
        using client = await SmtpClient.greeted(port);
        const message = messageOf(mechanism, tokenOf(word));
        if (atOnce) await client.send(`AUTH ${mechanism} ${message}`);
        else {
          await client.command(`AUTH ${mechanism}`, "334");
          await client.send(message);
        }
        if (word === "refused") {
          const { lines: [why = ""] } = await client.expect("334");
          const { status, scope } = JSON.parse(atob(why));
          const own = mechanism === "XOAUTH2" ? "401" : "insufficient_scope";
          assertEquals([status, scope], [own, "mail"]);
          await client.send(atOnce ? "AQ==" : "");
        }
        const { status, lines } = await client.reply();
        assertEquals(`${status} ${lines.join()}`, replies[word], mechanism);
      }
    }
  }
}

const CURL = clientNamed("curl", "curl").program;
const MSMTP = clientNamed("msmtp", "msmtp").program;

/** curl and msmtp, where they are; msmtp's lines are short. */
async function checkByClients(port: number, replies: Replies): Promise<void> {
  for (const word of ["good", "refused", "outage"] as const) {
    const shown = [
      CURL && await curl(CURL, port, tokenOf(word)),
      MSMTP && await msmtp(MSMTP, port, tokenOf(word, 2000)),
    ];
    for (const each of shown.filter((each) => each !== undefined)) {
      assert(each.includes(replies[word]), each);
    }
  }
}

async function curl(
  program: string,
  port: number,
  token: string,
): Promise<string> {
  const { stderr } = await run(program, {
    args: [
      ...["--disable", "--noproxy", "*", "--silent", "--verbose"],
      ...["--url", `smtp://127.0.0.1:${port}/client`, "--user", `${USER}:`],
      ...["--login-options", "AUTH=OAUTHBEARER", "--oauth2-bearer", token],
      ...["--mail-from", USER, "--mail-rcpt", USER, "--upload-file", "-"],
    ],
  });
  return stderr;
}

async function msmtp(
  program: string,
  port: number,
  token: string,
): Promise<string> {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.writeTextFileSync(`${folder}/token`, token);
  const { stdout, stderr } = await run(program, {
    args: [
      ...["--debug", "--file", "/dev/null", "--host", "127.0.0.1"],
      ...["--port", `${port}`, "--auth=xoauth2", `--user=${USER}`],
      ...[`--passwordeval=cat ${folder}/token`, `--from=${USER}`, USER],
    ],
    env: { HOME: folder },
  });
  return stdout + stderr;
}

function assertLogged(events: readonly ServerEvent[]): void {
  const text = JSON.stringify(events);
  assert(text.includes("XOAUTH2") && text.includes("OAUTHBEARER"));
  assert(!text.includes("eyJhbGci"), "a token is in the log");
}

daemonTest(POSTFIX, "brings tokens to the Dovecot server", async (program) => {
  const [, , option = ""] = codeBlocks("docs/postfix.md", "ini");
  const [, name = "", value = ""] = /^ *-o (\S+)=(\S+)$/m.exec(option) ?? [];
  await using postfix = newPostfix(program, {
    services: {
      unix: {
        smtpd_sasl_auth_enable: "yes",
        smtpd_sasl_type: "dovecot",
        smtpd_sasl_path: "private/smtpauth",
        // There is nobody to take mail: the login is all.
        smtpd_delay_reject: "no",
        smtpd_sender_restrictions: "reject",
        [name]: value,
      },
    },
  });
  const events: ServerEvent[] = [];
  await using _server = await serveDovecotAuth({
    path: `${postfix.queue}/private/smtpauth`,
    group: POSTFIX_USER,
    provider: decide,
    mechanisms: MECHANISMS,
    onEvent: (event) => events.push(event),
  });
  await postfix.start();
  const replies = {
    good: "235 2.7.0 Authentication successful",
    refused: "535 5.7.8 Error: authentication failed: Not for mail",
    outage:
      "454 4.7.0 Temporary authentication failure: Connection lost to authentication server",
  };
  await checkByHand(postfix.ports.unix ?? 0, replies);
  await checkByClients(postfix.ports.unix ?? 0, replies);
  assertLogged(events);
});

daemonTest(
  EXIM_HEAVY,
  "brings tokens to the Dovecot server",
  async (program) => {
    using cleanUp = new DisposableStack();
    const folder = temporaryFolder(cleanUp);
    Deno.chmodSync(folder, 0o755);
    const events: ServerEvent[] = [];
    await using _server = await serveDovecotAuth({
      path: `${folder}/auth`,
      group: "Debian-exim",
      provider: decide,
      mechanisms: MECHANISMS,
      onEvent: (event) => events.push(event),
    });
    const page = placed(codeBlocks("docs/exim.md", "ini")[1], {
      "/run/smtpauth/auth": `${folder}/auth`,
      "${if def:tls_in_cipher}": "yes",
    });
    const port = freePort();
    await using _exim = await startExim(program.path, [port], [page]);
    const replies = {
      good: "235 Authentication succeeded",
      refused: "535 Incorrect authentication data",
      outage: "435 Unable to authenticate at present",
    };
    await checkByHand(port, replies);
    await checkByClients(port, replies);
    assertLogged(events);
  },
);
