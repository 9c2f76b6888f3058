// smtplib, of Python's standard library.

import { assertEquals } from "../support/assert.ts";
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
  SENDER,
  type Target,
} from "./support.ts";
import { checkTokens, type TokenMechanism } from "./tokens.ts";

const PYTHON = { ...clientNamed("python3", "python3"), name: "smtplib" };

const SCRIPT = Deno.readTextFileSync(
  new URL("./smtplib_client.py", import.meta.url),
);

/** smtplib.login() and smtplib.auth() know ASCII only. */
const ASCII_LOGIN: Login = {
  username: "ann@example.org",
  password: `pa "ss" w\\o'rd $HOME %41:^`,
};

interface Job {
  readonly target: Target;
  readonly folder: string;
  readonly mechanism?: Mechanism | TokenMechanism;
  readonly how?:
    | "login"
    | "with initial response"
    | "without initial response"
    | "token with initial response"
    | "token without initial response"
    | "by hand";
  readonly attempts?: number;
  readonly trusted?: string;
  readonly login?: Login;
  readonly message?: Uint8Array;
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly options?: readonly string[];
}

/** Does jobs, one after another, and tells how smtplib puts what came of it. */
async function smtplibAll(
  program: string,
  jobs: readonly Job[],
): Promise<unknown> {
  const { code, stdout, stderr } = await run(program, {
    args: ["-I", "-c", SCRIPT],
    stdin: JSON.stringify(jobs.map(inScript)),
  });
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

async function smtplib(program: string, job: Job): Promise<unknown> {
  const results = await smtplibAll(program, [job]);
  return Array.isArray(results) ? results[0] : results;
}

/** A job as the script reads it. */
function inScript(job: Job): Record<string, unknown> {
  const { target, folder, message: content = MESSAGE, login = LOGIN } = job;
  const message = `${folder}/message`;
  Deno.writeFileSync(message, content);
  return {
    mode: target.mode,
    port: target.port,
    helo: HELO,
    trusted: job.trusted,
    how: job.how ?? "by hand",
    mechanism: job.mechanism,
    attempts: job.attempts ?? 1,
    ...login,
    sender: job.sender ?? SENDER,
    recipients: job.recipients ?? RECIPIENTS,
    options: job.options ?? [],
    message,
  };
}

const WRONG =
  "SMTPAuthenticationError 535 5.7.8 Authentication credentials invalid";

clientTest(
  PYTHON,
  "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
  (program) =>
    checkEverywhere(async (target, mechanism, { folder, trusted }) => {
      const job = { target, mechanism, folder, trusted };
      assertEquals(await smtplib(program, job), "sent");
    }, MESSAGE),
);

clientTest(
  PYTHON,
  "delivers by login() and auth(), with and without an initial response",
  async (program) => {
    await using bench = await newBench(ASCII_LOGIN);
    const { folder, targets: [target] } = bench;
    const job = { target, folder, login: ASCII_LOGIN };
    const jobs: Job[] = [
      { ...job, how: "login" },
      { ...job, how: "with initial response", mechanism: "PLAIN" },
      { ...job, how: "without initial response", mechanism: "PLAIN" },
      { ...job, how: "with initial response", mechanism: "LOGIN" },
      { ...job, how: "without initial response", mechanism: "LOGIN" },
    ];
    const sent = jobs.map(() => "sent");
    assertEquals(await smtplibAll(program, jobs), sent);
    const stored = storedMessages(target.listener);
    assertEquals(stored.length, jobs.length);
    for (const { octets } of stored) assertSameOctets(octets, MESSAGE);
  },
);

clientTest(
  PYTHON,
  "delivers 20 MB byte for byte in plain text, over STARTTLS and over TLS",
  async (program) => {
    await using bench = await newBench();
    const { folder, trusted, targets } = bench;
    const message = largeMessage();
    for (const target of targets) {
      const mechanism = "PLAIN";
      const job = { target, folder, trusted, mechanism, message } as const;
      assertEquals(await smtplib(program, job), "sent", target.mode);
      const stored = storedMessages(target.listener).at(-1);
      assertSameOctets(stored?.octets ?? new Uint8Array(), message);
    }
  },
);

clientTest(
  PYTHON,
  "delivers with UTF-8 in the addresses",
  async (program) => {
    await using bench = await newBench();
    const { folder, targets: [target] } = bench;
    const sender = "jörg@example.com";
    const recipients = ["用户@例え.jp", "bob@example.net"];
    const options = ["SMTPUTF8", "BODY=8BITMIME"];
    const mechanism = "PLAIN";
    const envelope = { sender, recipients, options };
    const job = { target, folder, mechanism, ...envelope } as const;
    assertEquals(await smtplib(program, job), "sent");
    assertEquals(storedMessages(target.listener), [
      { sender, recipients, word: "UTF8SMTPA", octets: MESSAGE },
    ]);
  },
);

clientTest(
  PYTHON,
  "delivers with BODY=8BITMIME SMTPUTF8 around ASCII, as Go's net/smtp does",
  async (program) => {
    await using bench = await newBench();
    const { folder, targets: [target] } = bench;
    const options = ["BODY=8BITMIME", "SMTPUTF8"];
    const job = { target, folder, mechanism: "PLAIN", options } as const;
    assertEquals(await smtplib(program, job), "sent");
    assertEquals(storedMessages(target.listener), [{
      sender: SENDER,
      recipients: RECIPIENTS,
      word: "UTF8SMTPA",
      octets: MESSAGE,
    }]);
  },
);

clientTest(
  PYTHON,
  "reports 535 for a wrong password",
  (program) =>
    checkWrongPassword(
      async (target, mechanism, { folder, trusted }, login) => {
        const job = { target, mechanism, folder, trusted, login };
        assertEquals(await smtplib(program, job), WRONG);
      },
    ),
);

clientTest(
  PYTHON,
  "tries two mechanisms a login(), so that the second wrong one is the end",
  async (program) => {
    await using bench = await newBench(ASCII_LOGIN);
    const { folder, targets: [target] } = bench;
    const login = { ...ASCII_LOGIN, password: "wrong" };
    const job = { target, folder, how: "login", login } as const;
    assertEquals(await smtplib(program, job), WRONG);
    const second = await smtplib(program, { ...job, attempts: 2 });
    assertEquals(
      second,
      "SMTPAuthenticationError 421 4.7.0 Too many failed logins",
    );
    assertEquals(storedMessages(target.listener), []);
  },
);

clientTest(
  PYTHON,
  "brings every login to the endpoint as it is",
  (program) =>
    checkLogins(LOGINS, async (target, cases, folder) => {
      const jobs = cases.map((each) => ({ ...each, target, folder }));
      const results = await smtplibAll(program, jobs);
      assertEquals(results, cases.map(() => "sent"));
    }),
);

clientTest(
  PYTHON,
  "reports 454 while the endpoint answers 500",
  (program) =>
    checkBrokenEndpoint(async (target, mechanism, folder) => {
      assertEquals(
        await smtplib(program, { target, mechanism, folder }),
        "SMTPAuthenticationError 454 4.7.0 Temporary authentication failure",
      );
    }),
);

clientTest(
  PYTHON,
  "brings tokens of 6 KB over STARTTLS and over TLS",
  (program) =>
    checkTokens(["XOAUTH2", "OAUTHBEARER"], async (job) => {
      const how = job.target.mode === "STARTTLS"
        ? "token with initial response"
        : "token without initial response";
      const result = await smtplib(program, { ...job, how });
      return String(result).replace("SMTPAuthenticationError ", "");
    }),
);
