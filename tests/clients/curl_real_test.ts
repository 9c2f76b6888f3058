// curl, as scripts and many programs in C (libcurl) send mail.

import {
  assertEquals,
  assertMatch,
  assertNotMatch,
} from "../support/assert.ts";
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
import {
  checkTokens,
  refusalIn,
  type TokenJob,
  type TokenMechanism,
} from "./tokens.ts";

const CURL = clientNamed("curl", "curl");

/** Its exit status for a refused login. */
const LOGIN_DENIED = 67;

/** And for a refused MAIL. */
const SEND_ERROR = 55;

interface Job {
  readonly target: Target;
  readonly mechanism: Mechanism | TokenMechanism;
  readonly trusted?: string;
  readonly login?: Login;
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly message?: Uint8Array<ArrayBuffer>;
  readonly args?: readonly string[];
}

function curl(program: string, job: Job): Promise<RunResult> {
  const { target, mechanism, trusted, args = [] } = job;
  const { login = LOGIN, message = MESSAGE } = job;
  const { sender = SENDER, recipients = RECIPIENTS } = job;
  const scheme = target.mode === "implicit TLS" ? "smtps" : "smtp";
  return run(program, {
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
}

clientTest(
  CURL,
  "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
  (program) =>
    checkEverywhere(async (target, mechanism, { trusted }) => {
      const job = { target, mechanism, trusted };
      const { code, stderr } = await curl(program, job);
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /^< 334 ?/m);
      assertMatch(stderr, /^< 235 2\.7\.0 /m);
    }, MESSAGE),
);

clientTest(
  CURL,
  "delivers with initial responses",
  (program) =>
    checkEverywhere(async (target, mechanism, { trusted }) => {
      const args = ["--sasl-ir"];
      const job = { target, mechanism, args, trusted };
      const { code, stderr } = await curl(program, job);
      assertEquals(code, 0, stderr);
      assertMatch(stderr, new RegExp(`^> AUTH ${mechanism} \\S+\r?$`, "m"));
    }, MESSAGE),
);

clientTest(
  CURL,
  "delivers with --mail-auth, which it writes without xtext",
  (program) =>
    checkEverywhere(async (target, mechanism, { trusted }) => {
      const args = ["--mail-auth", "someone+else=x@example.com"];
      const job = { target, mechanism, args, trusted };
      const { code, stderr } = await curl(program, job);
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /^> MAIL .* AUTH=<someone\+else=x@example\.com>/m);
    }, MESSAGE),
);

clientTest(
  CURL,
  "delivers 20 MB byte for byte in plain text, over STARTTLS and over TLS",
  async (program) => {
    await using bench = await newBench();
    const message = largeMessage();
    for (const target of bench.targets) {
      const { code, stderr } = await curl(program, {
        target,
        mechanism: "PLAIN",
        message,
        trusted: bench.trusted,
      });
      assertEquals(code, 0, stderr);
      const stored = storedMessages(target.listener).at(-1);
      assertSameOctets(stored?.octets ?? new Uint8Array(), message);
    }
  },
);

clientTest(
  CURL,
  "delivers with UTF-8 in the addresses",
  async (program) => {
    await using bench = await newBench();
    const [target] = bench.targets;
    const sender = "jörg@example.com";
    const recipients = ["用户@example.net", "bob@example.net"];
    const { code, stderr } = await curl(program, {
      target,
      mechanism: "PLAIN",
      sender,
      recipients,
    });
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /^> MAIL FROM:<jörg@example\.com>.* SMTPUTF8/m);
    const stored = storedMessages(target.listener);
    assertEquals(stored, [{
      sender,
      recipients,
      word: "UTF8SMTPA",
      octets: MESSAGE,
    }]);
  },
);

clientTest(
  CURL,
  "reports 535 for a wrong password",
  (program) =>
    checkWrongPassword(async (target, mechanism, { trusted }, login) => {
      const job = { target, mechanism, login, trusted };
      const { code, stderr } = await curl(program, job);
      assertEquals(code, LOGIN_DENIED, stderr);
      assertMatch(stderr, /^< 535 5\.7\.8 /m);
    }),
);

clientTest(
  CURL,
  "keeps the password to itself without TLS where the listener has TLS",
  async (program) => {
    await using bench = await newBench();
    const [, { port, listener }] = bench.targets;
    const target: Target = { mode: "plain text", port, listener };
    const { code, stderr } = await curl(program, {
      target,
      mechanism: "PLAIN",
    });
    assertEquals(code, SEND_ERROR, stderr);
    assertMatch(stderr, /^< 250 STARTTLS/m);
    assertNotMatch(stderr, /^> AUTH/m);
    assertMatch(stderr, /^< 530 5\.7\.0 /m);
    assertEquals(storedMessages(listener), []);
  },
);

clientTest(
  CURL,
  "brings every login to the endpoint as it is",
  (program) =>
    // A colon in the user name is the one thing that --user can't say.
    checkLogins(LOGINS, async (target, cases) => {
      for (const { login, mechanism } of cases) {
        const job = { target, mechanism, login };
        const { code, stderr } = await curl(program, job);
        assertEquals(code, 0, stderr);
      }
    }),
);

clientTest(
  CURL,
  "reports 454 while the endpoint answers 500",
  (program) =>
    checkBrokenEndpoint(async (target, mechanism) => {
      const { code, stderr } = await curl(program, { target, mechanism });
      assertEquals(code, LOGIN_DENIED, stderr);
      assertMatch(stderr, /^< 454 4\.7\.0 /m);
    }),
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
        const { code, stderr } = await curl(program, {
          ...job,
          login: { username, password: "" },
          args: ["--oauth2-bearer", password, ...args],
        });
        if (code === 0) return "sent";
        assertEquals(code, LOGIN_DENIED, stderr);
        const isLast = /^< 334 [A-Za-z0-9+/=]+\r?\n\* Closing/m.test(stderr);
        return isLast ? HUNG_UP : refusalIn(stderr);
      };
      // It knows nothing of escapes.
      const username = "ann@example.org";
      // Asked for XOAUTH2 it would take OAUTHBEARER if both were there.
      await checkTokens(["XOAUTH2"], send, { username, refused: HUNG_UP });
      await checkTokens(["OAUTHBEARER"], send, { username });
    },
  );
}
