// swaks, the Swiss Army Knife for SMTP, in Perl.

import { assertEquals, assertMatch } from "../support/assert.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { type Ending, type Job, oneByOne, testClient } from "./checks.ts";
import { assertSameOctets, MESSAGE, storedMessages } from "./messages.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  newBench,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

const SWAKS = clientNamed("swaks", "swaks, with libnet-ssleay-perl");

/** Its exit status for a failed authentication. */
const AUTH_FAILED = 28;

/** Stands before what it says on stderr. */
const COMPLAINTS = "stderr: ";

interface SwaksJob extends Job {
  /** Default: the mechanism. */
  readonly auth?: readonly string[];
  readonly args?: readonly string[];
}

async function swaks(program: string, job: SwaksJob): Promise<Ending> {
  const { target, mechanism, folder, trusted = "", login = LOGIN } = job;
  const { auth = ["--auth", mechanism], args = [] } = job;
  const message = `${folder}/message`;
  // It puts a CRLF between the message and the final dot in any case.
  Deno.writeFileSync(message, MESSAGE.subarray(0, -2));
  const tls = {
    "plain text": [],
    "STARTTLS": ["--tls", "--tls-verify", "--tls-ca-path", trusted],
    "implicit TLS": ["--tlsc", "--tls-verify", "--tls-ca-path", trusted],
  }[target.mode];
  const { code, stdout, stderr } = await run(program, {
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
  return { status: code, shown: `${stdout}\n${COMPLAINTS}${stderr}` };
}

testClient({
  ...SWAKS,
  send: oneByOne(swaks),
  expects: {
    sent: {
      status: 0,
      shows: [
        /^<[-~] {2}235 2\.7\.0 /m,
        /^<[-~] {2}250 2\.0\.0 Queued/m,
        /^<[-~] {2}221 2\.0\.0 /m,
        /^stderr: $/m,
      ],
    },
    wrong: {
      status: AUTH_FAILED,
      shows: [
        /^<[*~]\* 535 5\.7\.8 /m,
        /^stderr: [^]*No authentication type succeeded/m,
      ],
    },
    outage: { status: AUTH_FAILED, shows: [/^<\*\* 454 4\.7\.0 /m] },
  },
});

clientTest(
  SWAKS,
  "delivers with pipelining",
  async (program) => {
    await using bench = await newBench();
    const { folder, trusted, targets } = bench;
    for (const target of targets) {
      const { status, shown } = await swaks(program, {
        target,
        mechanism: "PLAIN",
        folder,
        trusted,
        args: ["--pipeline"],
      });
      assertEquals(status, 0, shown);
      // All commands before all replies: they were one write each.
      assertMatch(shown, /DATA\n<[-~] {2}250 .*\n.*250 .*\n.*250 .*\n.*354 /);
    }
    const stored = targets.slice(0, 2)
      .flatMap(({ listener }) => storedMessages(listener));
    assertEquals(stored.length, 3);
    for (const { octets } of stored) assertSameOctets(octets, MESSAGE);
  },
);

clientTest(
  SWAKS,
  "tries LOGIN and PLAIN in turn after a wrong password, and reads 535 twice",
  async (program) => {
    await using bench = await newBench();
    const { folder, targets: [target] } = bench;
    const { status, shown } = await swaks(program, {
      target,
      mechanism: "LOGIN",
      folder,
      auth: ["--auth"],
      login: { ...LOGIN, password: "wrong" },
    });
    assertEquals(status, AUTH_FAILED, shown);
    assertEquals(shown.match(/^<\*\* 535 5\.7\.8 /mg)?.length, 2, shown);
    await mustHappen(
      target.listener.logged(/"mechanism":"LOGIN"[^]*"mechanism":"PLAIN"/),
      "both are logged",
    );
  },
);
