// msmtp, the sendmail of many small machines.

import { assertEquals, assertMatch } from "../support/assert.ts";
import {
  checkBrokenEndpoint,
  checkEverywhere,
  checkLogins,
  checkWrongPassword,
} from "./checks.ts";
import {
  assertSameOctets,
  largeMessage,
  MESSAGE,
  storedMessages,
} from "./messages.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  type Login,
  LOGINS,
  type Mechanism,
  newBench,
  RECIPIENTS,
  run,
  type RunResult,
  SENDER,
  type Target,
} from "./support.ts";
import { checkTokens, refusalIn, type TokenMechanism } from "./tokens.ts";

const MSMTP = clientNamed("msmtp", "msmtp");

/** Its exit status for a failed authentication, for now or for good. */
const EX_NOPERM = 77;

/** It sends no line of more than 4,094 octets. */
const MAX_TOKEN_OCTETS = 2900;

interface Job {
  readonly target: Target;
  readonly mechanism: Mechanism | TokenMechanism;
  readonly folder: string;
  readonly trusted?: string;
  readonly login?: Login;
  readonly message?: Uint8Array<ArrayBuffer>;
}

async function msmtp(program: string, job: Job): Promise<RunResult> {
  const { target, mechanism, folder, trusted = "" } = job;
  const { login = LOGIN, message = MESSAGE } = job;
  const config = `${folder}/msmtprc`;
  const password = `${folder}/password`;
  Deno.writeTextFileSync(password, login.password);
  Deno.writeTextFileSync(
    config,
    [
      "account default",
      "host 127.0.0.1",
      `port ${target.port}`,
      `domain ${HELO}`,
      `from ${SENDER}`,
      `auth ${mechanism.toLowerCase()}`,
      `user "${login.username}"`,
      `passwordeval cat '${password}'`,
      ...(target.mode === "plain text" ? ["tls off"] : [
        "tls on",
        `tls_trust_file ${trusted}`,
        `tls_starttls ${target.mode === "STARTTLS" ? "on" : "off"}`,
      ]),
      "",
    ].join("\n"),
    { mode: 0o600 },
  );
  return await run(program, {
    args: ["--debug", "--file", config, ...RECIPIENTS],
    stdin: message,
    env: { HOME: folder },
  });
}

clientTest(
  MSMTP,
  "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
  (program) =>
    checkEverywhere(async (target, mechanism, { folder, trusted }) => {
      const job = { target, mechanism, folder, trusted };
      const { code, stdout, stderr } = await msmtp(program, job);
      assertEquals(code, 0, stdout + stderr);
      assertMatch(stdout, /^<-- 235 2\.7\.0 /m);
      assertMatch(stdout, /^<-- 221 2\.0\.0 /m);
    }, MESSAGE),
);

clientTest(
  MSMTP,
  "delivers 20 MB byte for byte",
  async (program) => {
    await using bench = await newBench();
    const { folder, targets: [target] } = bench;
    const message = largeMessage();
    const job = { target, mechanism: "PLAIN", folder, message } as const;
    const { code, stderr } = await msmtp(program, job);
    assertEquals(code, 0, stderr);
    const [stored] = storedMessages(target.listener);
    assertSameOctets(stored?.octets ?? new Uint8Array(), message);
  },
);

clientTest(
  MSMTP,
  "reports 535 for a wrong password",
  (program) =>
    checkWrongPassword(
      async (target, mechanism, { folder, trusted }, login) => {
        const job = { target, mechanism, folder, trusted, login };
        const { code, stderr } = await msmtp(program, job);
        assertEquals(code, EX_NOPERM, stderr);
        assertMatch(stderr, /^msmtp: server message: 535 5\.7\.8 /m);
      },
    ),
);

clientTest(
  MSMTP,
  "brings every login to the endpoint as it is",
  (program) =>
    checkLogins(LOGINS, async (target, cases, folder) => {
      for (const { login, mechanism } of cases) {
        const job = { target, mechanism, login, folder };
        const { code, stderr } = await msmtp(program, job);
        assertEquals(code, 0, stderr);
      }
    }),
);

clientTest(
  MSMTP,
  "reports 454 while the endpoint answers 500",
  (program) =>
    checkBrokenEndpoint(async (target, mechanism, folder) => {
      const job = { target, mechanism, folder };
      const { code, stderr } = await msmtp(program, job);
      assertEquals(code, EX_NOPERM, stderr);
      assertMatch(stderr, /^msmtp: server message: 454 4\.7\.0 /m);
    }),
);

clientTest(
  MSMTP,
  "brings tokens over STARTTLS and over TLS, as large as its lines are",
  (program) =>
    checkTokens(["XOAUTH2", "OAUTHBEARER"], async (job) => {
      const { code, stderr } = await msmtp(program, job);
      return code === 0 ? "sent" : refusalIn(stderr);
    }, { octets: MAX_TOKEN_OCTETS, username: "ann@example.org" }),
);
