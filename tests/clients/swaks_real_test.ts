// swaks, the Swiss Army Knife for SMTP, in Perl.

import { assertEquals, assertMatch } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import {
  checkBrokenEndpoint,
  checkEverywhere,
  checkLogins,
  checkWrongPassword,
} from "./checks.ts";
import { assertSameOctets, MESSAGE, storedMessages } from "./messages.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  type Login,
  LOGINS,
  newBench,
  RECIPIENTS,
  run,
  type RunResult,
  SENDER,
  type Target,
} from "./support.ts";

const SWAKS = clientNamed("swaks", "swaks, with libnet-ssleay-perl");

/** Its exit status for a failed authentication. */
const AUTH_FAILED = 28;

interface Job {
  readonly target: Target;
  /** A folder for the message. */
  readonly folder: string;
  readonly trusted?: string;
  readonly auth: readonly string[];
  readonly login?: Login;
  readonly args?: readonly string[];
}

function swaks(program: string, job: Job): Promise<RunResult> {
  const { target, folder, trusted = "", auth, login = LOGIN, args = [] } = job;
  const message = `${folder}/message`;
  // It puts a CRLF between the message and the final dot in any case.
  Deno.writeFileSync(message, MESSAGE.subarray(0, -2));
  const tls = {
    "plain text": [],
    "STARTTLS": ["--tls", "--tls-verify", "--tls-ca-path", trusted],
    "implicit TLS": ["--tlsc", "--tls-verify", "--tls-ca-path", trusted],
  }[target.mode];
  return run(program, {
    args: [
      ...["--server", "127.0.0.1", "--port", String(target.port)],
      ...["--helo", HELO, "--from", SENDER, "--to", RECIPIENTS.join(",")],
      ...["--data", `@${message}`],
      ...auth,
      ...["--auth-user", login.username, "--auth-password", login.password],
      ...tls,
      ...args,
    ],
    env: { HOME: folder },
  });
}

clientTest(
  SWAKS,
  "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
  (program) =>
    checkEverywhere(async (target, mechanism, { folder, trusted }) => {
      const auth = ["--auth", mechanism];
      const { code, stdout, stderr } = await swaks(program, {
        target,
        folder,
        trusted,
        auth,
      });
      assertEquals([code, stderr], [0, ""], stdout);
      assertMatch(stdout, /^<[-~] {2}235 2\.7\.0 /m);
      assertMatch(stdout, /^<[-~] {2}250 2\.0\.0 Queued/m);
      assertMatch(stdout, /^<[-~] {2}221 2\.0\.0 /m);
    }, MESSAGE),
);

clientTest(
  SWAKS,
  "delivers with pipelining",
  async (program) => {
    await using bench = await newBench();
    const { folder, trusted, targets } = bench;
    for (const target of targets) {
      const { code, stdout } = await swaks(program, {
        target,
        folder,
        trusted,
        auth: ["--auth", "PLAIN"],
        args: ["--pipeline"],
      });
      assertEquals(code, 0, stdout);
      // All commands before all replies: they were one write each.
      assertMatch(stdout, /DATA\n<[-~] {2}250 .*\n.*250 .*\n.*250 .*\n.*354 /);
    }
    const stored = targets.slice(0, 2)
      .flatMap(({ listener }) => storedMessages(listener));
    assertEquals(stored.length, 3);
    for (const { octets } of stored) assertSameOctets(octets, MESSAGE);
  },
);

clientTest(
  SWAKS,
  "reports 535 for a wrong password",
  (program) =>
    checkWrongPassword(
      async (target, mechanism, { folder, trusted }, login) => {
        const auth = ["--auth", mechanism];
        const result = await swaks(program, {
          target,
          folder,
          trusted,
          auth,
          login,
        });
        assertEquals(result.code, AUTH_FAILED, result.stdout);
        assertMatch(result.stdout, /^<[*~]\* 535 5\.7\.8 /m);
        assertMatch(result.stderr, /No authentication type succeeded/);
      },
    ),
);

clientTest(
  SWAKS,
  "tries LOGIN and PLAIN in turn after a wrong password, and reads 535 twice",
  async (program) => {
    await using bench = await newBench();
    const { folder, targets: [target] } = bench;
    const { code, stdout } = await swaks(program, {
      target,
      folder,
      auth: ["--auth"],
      login: { ...LOGIN, password: "wrong" },
    });
    assertEquals(code, AUTH_FAILED, stdout);
    assertEquals(stdout.match(/^<\*\* 535 5\.7\.8 /mg)?.length, 2, stdout);
    await mustHappen(
      target.listener.logged(/"mechanism":"LOGIN"[^]*"mechanism":"PLAIN"/),
      "both are logged",
    );
  },
);

clientTest(
  SWAKS,
  "brings every login to the endpoint as it is",
  (program) =>
    checkLogins(LOGINS, async (target, cases, folder) => {
      for (const { login, mechanism } of cases) {
        const auth = ["--auth", mechanism];
        const result = await swaks(program, { target, folder, auth, login });
        assertEquals(result.code, 0, result.stdout);
      }
    }),
);

clientTest(
  SWAKS,
  "reports 454 while the endpoint answers 500",
  (program) =>
    checkBrokenEndpoint(async (target, mechanism, folder) => {
      const auth = ["--auth", mechanism];
      const { code, stdout } = await swaks(program, { target, folder, auth });
      assertEquals(code, AUTH_FAILED, stdout);
      assertMatch(stdout, /^<\*\* 454 4\.7\.0 /m);
    }),
);
