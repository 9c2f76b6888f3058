// smtplib, of Python's standard library.

import { assertEquals } from "../support/assert.ts";
import { type Ending, type Job, testClient } from "./checks.ts";
import { assertSameOctets, MESSAGE, storedMessages } from "./messages.ts";
import {
  clientNamed,
  clientTest,
  HELO,
  LOGIN,
  type Login,
  newBench,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

const PYTHON = { ...clientNamed("python3", "python3"), name: "smtplib" };

const SCRIPT = Deno.readTextFileSync(
  new URL("./smtplib_client.py", import.meta.url),
);

/** smtplib.login() and smtplib.auth() know ASCII only. */
const ASCII_LOGIN: Login = {
  username: "ann@example.org",
  password: `pa "ss" w\\o'rd $HOME %41:^`,
};

interface SmtplibJob extends Job {
  /** Default: by hand, as the mechanism has it. */
  readonly how?:
    | "login"
    | "with initial response"
    | "without initial response";
  readonly attempts?: number;
  readonly options?: readonly string[];
}

/** Does jobs, one after another, and tells how smtplib puts what came of it. */
async function smtplib(
  program: string,
  jobs: readonly SmtplibJob[],
): Promise<readonly Ending[]> {
  const { code, stdout, stderr } = await run(program, {
    args: ["-I", "-c", SCRIPT],
    stdin: JSON.stringify(jobs.map(inScript)),
  });
  assertEquals(code, 0, stderr);
  const results: readonly string[] = JSON.parse(stdout);
  return results.map((result) => ({ status: result, shown: result }));
}

async function statusOf(program: string, job: SmtplibJob): Promise<unknown> {
  const [ending] = await smtplib(program, [job]);
  return ending?.status;
}

/** A job as the script reads it. */
function inScript(job: SmtplibJob): Record<string, unknown> {
  const { target, mechanism, folder, login = LOGIN } = job;
  const { sender = SENDER, recipients = RECIPIENTS } = job;
  const message = `${folder}/message`;
  Deno.writeFileSync(message, job.message ?? MESSAGE);
  // It says nothing about addresses by itself.
  const isUTF8 = [sender, ...recipients].some((each) => /[^ -~]/.test(each));
  const { options = isUTF8 ? ["SMTPUTF8", "BODY=8BITMIME"] : [] } = job;
  return {
    ...{ mode: target.mode, port: target.port, helo: HELO },
    ...{ trusted: job.trusted, how: job.how ?? howTo(job), mechanism },
    ...{ attempts: job.attempts ?? 1, ...login },
    ...{ sender, recipients, options, message },
  };
}

/** Tokens both ways: with an initial response over one kind of TLS. */
function howTo({ mechanism, target }: Job): string {
  if (mechanism === "PLAIN" || mechanism === "LOGIN") return "by hand";
  return target.mode === "STARTTLS"
    ? "token with initial response"
    : "token without initial response";
}

const WRONG =
  "SMTPAuthenticationError 535 5.7.8 Authentication credentials invalid";

testClient({
  ...PYTHON,
  send: smtplib,
  expects: {
    sent: { status: "sent" },
    wrong: { status: WRONG },
    outage: {
      status:
        "SMTPAuthenticationError 454 4.7.0 Temporary authentication failure",
    },
  },
  large: ["plain text", "STARTTLS", "implicit TLS"],
  utf8: { recipients: ["用户@例え.jp", "bob@example.net"] },
  tokens: {
    criterion: "brings tokens of 6 KB over STARTTLS and over TLS",
    mechanisms: ["XOAUTH2", "OAUTHBEARER"],
  },
});

clientTest(
  PYTHON,
  "delivers by login() and auth(), with and without an initial response",
  async (program) => {
    await using bench = await newBench(ASCII_LOGIN);
    const { folder, targets: [target] } = bench;
    const job = { target, folder, login: ASCII_LOGIN };
    const jobs: SmtplibJob[] = [
      { ...job, how: "login", mechanism: "PLAIN" },
      { ...job, how: "with initial response", mechanism: "PLAIN" },
      { ...job, how: "without initial response", mechanism: "PLAIN" },
      { ...job, how: "with initial response", mechanism: "LOGIN" },
      { ...job, how: "without initial response", mechanism: "LOGIN" },
    ];
    const endings = await smtplib(program, jobs);
    assertEquals(endings.map(({ status }) => status), jobs.map(() => "sent"));
    const stored = storedMessages(target.listener);
    assertEquals(stored.length, jobs.length);
    for (const { octets } of stored) assertSameOctets(octets, MESSAGE);
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
    assertEquals(await statusOf(program, job), "sent");
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
  "tries two mechanisms a login(), so that the second wrong one is the end",
  async (program) => {
    await using bench = await newBench(ASCII_LOGIN);
    const { folder, targets: [target] } = bench;
    const login = { ...ASCII_LOGIN, password: "wrong" };
    const how = { how: "login", mechanism: "PLAIN" } as const;
    const job = { target, folder, login, ...how };
    assertEquals(await statusOf(program, job), WRONG);
    assertEquals(
      await statusOf(program, { ...job, attempts: 2 }),
      "SMTPAuthenticationError 421 4.7.0 Too many failed logins",
    );
    assertEquals(storedMessages(target.listener), []);
  },
);
