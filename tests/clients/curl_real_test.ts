// curl, as scripts and many programs in C (libcurl) send mail.

import {
  assertEquals,
  assertMatch,
  assertNotMatch,
} from "../support/assert.ts";
import {
  assertEnding,
  checkEverywhere,
  type Ending,
  type Job,
  oneByOne,
  testClient,
} from "./checks.ts";
import { MESSAGE, storedMessages } from "./messages.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  newBench,
  RECIPIENTS,
  run,
  SENDER,
  type Target,
} from "./support.ts";
import { checkTokens, refusalIn, type TokenJob } from "./tokens.ts";

const CURL = clientNamed("curl", "curl");

/** Its exit status for a refused login. */
const LOGIN_DENIED = 67;

/** And for a refused MAIL. */
const SEND_ERROR = 55;

interface CurlJob extends Job {
  readonly args?: readonly string[];
}

async function curl(program: string, job: CurlJob): Promise<Ending> {
  const { target, mechanism, trusted, args = [] } = job;
  const { login = LOGIN, message = MESSAGE } = job;
  const { sender = SENDER, recipients = RECIPIENTS } = job;
  const scheme = target.mode === "implicit TLS" ? "smtps" : "smtp";
  const { code, stderr } = await run(program, {
    args: [
      ...["--disable", "--noproxy", "*", "--silent", "--verbose"],
      ...["--url", `${scheme}://127.0.0.1:${target.port}/${HELO}`],
      ...(trusted === undefined ? [] : ["--cacert", trusted]),
      ...(target.mode === "STARTTLS" ? ["--ssl-reqd"] : []),
      ...["--user", `${login.username}:${login.password}`],
      ...["--login-options", `AUTH=${mechanism}`],
      ...["--mail-from", sender],
      ...recipients.flatMap((recipient) => ["--mail-rcpt", recipient]),
      ...["--upload-file", "-"],
      ...args,
    ],
    stdin: message,
  });
  return { status: code, shown: stderr };
}

// A colon in the user name is the one thing that --user can't say.
testClient({
  ...CURL,
  send: oneByOne(curl),
  expects: {
    sent: { status: 0, shows: [/^< 334 ?/m, /^< 235 2\.7\.0 /m] },
    wrong: { status: LOGIN_DENIED, shows: [/^< 535 5\.7\.8 /m] },
    outage: { status: LOGIN_DENIED, shows: [/^< 454 4\.7\.0 /m] },
  },
  large: ["plain text", "STARTTLS", "implicit TLS"],
  utf8: {
    recipients: ["用户@example.net", "bob@example.net"],
    shows: [/^> MAIL FROM:<jörg@example\.com>.* SMTPUTF8/m],
  },
});

clientTest(
  CURL,
  "delivers with initial responses",
  (program) =>
    checkEverywhere({}, async (job) => {
      const ending = await curl(program, { ...job, args: ["--sasl-ir"] });
      const shows = new RegExp(`^> AUTH ${job.mechanism} \\S+\r?$`, "m");
      assertEnding(ending, { status: 0, shows: [shows] });
    }),
);

clientTest(
  CURL,
  "delivers with --mail-auth, which it writes without xtext",
  (program) =>
    checkEverywhere({}, async (job) => {
      const args = ["--mail-auth", "someone+else=x@example.com"];
      const ending = await curl(program, { ...job, args });
      const shows = /^> MAIL .* AUTH=<someone\+else=x@example\.com>/m;
      assertEnding(ending, { status: 0, shows: [shows] });
    }),
);

clientTest(
  CURL,
  "keeps the password to itself without TLS where the listener has TLS",
  async (program) => {
    await using bench = await newBench();
    const { folder, targets: [, { port, listener }] } = bench;
    const target: Target = { mode: "plain text", port, listener };
    const job = { target, mechanism: "PLAIN", folder } as const;
    const { status, shown } = await curl(program, job);
    assertEquals(status, SEND_ERROR, shown);
    assertMatch(shown, /^< 250-STARTTLS/m);
    assertNotMatch(shown, /^> AUTH/m);
    assertMatch(shown, /^< 530 5\.7\.0 /m);
    assertEquals(storedMessages(listener), []);
  },
);

/** It hangs up when XOAUTH2 tells it why. */
const HUNG_UP = "the error of XOAUTH2 and no more";

for (const args of [[], ["--sasl-ir"]]) {
  clientTest(
    CURL,
    ["brings tokens of 6 KB over STARTTLS and over TLS", ...args].join(" "),
    async (program) => {
      const send = async ({ login, ...job }: TokenJob): Promise<string> => {
        const { username, password } = login;
        const { status, shown } = await curl(program, {
          ...job,
          login: { username, password: "" },
          args: ["--oauth2-bearer", password, ...args],
        });
        if (status === 0) return "sent";
        assertEquals(status, LOGIN_DENIED, shown);
        const isLast = /^< 334 [A-Za-z0-9+/=]+\r?\n\* Closing/m.test(shown);
        return isLast ? HUNG_UP : refusalIn(shown);
      };
      // It knows nothing of escapes.
      const username = "ann@example.org";
      // Asked for XOAUTH2 it would take OAUTHBEARER if both were there.
      await checkTokens(["XOAUTH2"], send, { username, refused: HUNG_UP });
      await checkTokens(["OAUTHBEARER"], send, { username });
    },
  );
}
