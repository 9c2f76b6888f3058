// nodemailer, as programs in JavaScript send mail: under Node, and under Deno.

import { assertEquals } from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";
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
  type Client,
  clientTest,
  findProgram,
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
import { checkTokens, refusalIn, type TokenMechanism } from "./tokens.ts";

const VERSION = "9.1.1";

const SCRIPT = new URL("./nodemailer_client.mjs", import.meta.url);

/** A folder with nodemailer in it, for as long as the tests of this file run. */
const cleanUp = new DisposableStack();
const folder = temporaryFolder(cleanUp);
Deno.test.afterAll(() => cleanUp.dispose());

const installed = await install();

/** Node and Deno take the same files: the package and the script. */
async function install(): Promise<boolean> {
  Deno.copyFileSync(SCRIPT, `${folder}/client.mjs`);
  const manifest = { dependencies: { nodemailer: VERSION } };
  Deno.writeTextFileSync(`${folder}/package.json`, JSON.stringify(manifest));
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["install", "--quiet", "--no-lock"],
    cwd: folder,
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

const DENO_RUN = ["run", "--quiet", "--no-lock", "--allow-all", "client.mjs"];

interface Runtime extends Client {
  readonly runtime: "Node" | "Deno";
  readonly args: readonly string[];
}

const RUNTIMES: readonly Runtime[] = [
  {
    runtime: "Node",
    name: "nodemailer under Node",
    program: installed ? findProgram("node") : undefined,
    missing: installed
      ? "there is no node (Debian package nodejs)"
      : `nodemailer ${VERSION} can't be had from the npm registry`,
    args: ["client.mjs"],
  },
  {
    runtime: "Deno",
    name: "nodemailer under Deno",
    program: installed ? Deno.execPath() : undefined,
    missing: `nodemailer ${VERSION} can't be had from the npm registry`,
    args: DENO_RUN,
  },
];

interface Job {
  readonly target: Target;
  readonly mechanism: Mechanism | TokenMechanism;
  readonly message: string;
  readonly trusted?: string;
  readonly login?: Login;
  readonly sender?: string;
  readonly recipients?: readonly string[];
}

const SENT = { accepted: RECIPIENTS, status: "250 2.0.0" };

const WRONG = {
  code: "EAUTH",
  responseCode: 535,
  response: "535 5.7.8 Authentication credentials invalid",
};

const BROKEN = {
  code: "EAUTH",
  responseCode: 454,
  response: "454 4.7.0 Temporary authentication failure",
};

for (const client of RUNTIMES) {
  /** Does jobs, one after another, and compares nodemailer's results. */
  const nodemailer = async (
    program: string,
    jobs: readonly Job[],
    result: unknown,
  ): Promise<void> => {
    const { code, stdout, stderr } = await run(program, {
      args: client.args,
      cwd: folder,
      stdin: JSON.stringify(jobs.map(inScript)),
    });
    assertEquals(code, 0, stderr);
    const { runtime } = client;
    const expected: unknown = { runtime, results: jobs.map(() => result) };
    assertEquals(JSON.parse(stdout), expected);
  };

  clientTest(
    client,
    "delivers by PLAIN and LOGIN in plain text, over STARTTLS and over TLS",
    (program) =>
      checkEverywhere(async (target, mechanism, { folder, trusted }) => {
        const message = newMessage(folder, MESSAGE);
        const job = { target, mechanism, message, trusted };
        await nodemailer(program, [job], SENT);
      }, MESSAGE),
  );

  clientTest(
    client,
    "delivers 20 MB byte for byte in plain text, over STARTTLS and over TLS",
    async (program) => {
      await using bench = await newBench();
      const { folder, trusted, targets } = bench;
      const content = largeMessage();
      const message = newMessage(folder, content);
      const jobs = targets.map((target) => (
        { target, mechanism: "PLAIN", message, trusted } as const
      ));
      await nodemailer(program, jobs, SENT);
      const [plain, tls] = [targets[0], targets[1]].map(({ listener }) =>
        storedMessages(listener).map(({ octets }) => octets)
      );
      assertEquals([plain?.length, tls?.length], [1, 2]);
      for (const octets of [...plain ?? [], ...tls ?? []]) {
        assertSameOctets(octets, content);
      }
    },
  );

  clientTest(
    client,
    "delivers with UTF-8 in the addresses",
    async (program) => {
      await using bench = await newBench();
      const { folder, targets: [target] } = bench;
      const sender = "jörg@example.com";
      const recipients = ["用户@example.net", "bob@example.net"];
      const message = newMessage(folder, MESSAGE);
      const mechanism = "PLAIN";
      const job = { target, mechanism, message, sender, recipients } as const;
      const sent = { ...SENT, accepted: recipients };
      await nodemailer(program, [job], sent);
      assertEquals(storedMessages(target.listener), [
        { sender, recipients, word: "UTF8SMTPA", octets: MESSAGE },
      ]);
    },
  );

  clientTest(
    client,
    "reports 535 for a wrong password",
    (program) =>
      checkWrongPassword(
        async (target, mechanism, { folder, trusted }, login) => {
          const message = newMessage(folder, MESSAGE);
          const job = { target, mechanism, message, trusted, login };
          await nodemailer(program, [job], WRONG);
        },
      ),
  );

  clientTest(
    client,
    "brings every login to the endpoint as it is",
    (program) =>
      checkLogins(LOGINS, async (target, cases, folder) => {
        const message = newMessage(folder, MESSAGE);
        const jobs = cases.map((each) => ({ ...each, target, message }));
        await nodemailer(program, jobs, SENT);
      }),
  );

  clientTest(
    client,
    "reports 454 while the endpoint answers 500",
    (program) =>
      checkBrokenEndpoint(async (target, mechanism, folder) => {
        const message = newMessage(folder, MESSAGE);
        const job = { target, mechanism, message };
        await nodemailer(program, [job], BROKEN);
      }),
  );

  clientTest(
    client,
    "brings tokens of 6 KB over STARTTLS and over TLS, as XOAUTH2",
    (program) =>
      checkTokens(["XOAUTH2"], async (job) => {
        const { code, stdout, stderr } = await run(program, {
          args: client.args,
          cwd: folder,
          stdin: JSON.stringify([inScript({
            ...job,
            message: newMessage(job.folder, MESSAGE),
          })]),
        });
        assertEquals(code, 0, stderr);
        const [result] = JSON.parse(stdout).results;
        return result.status === SENT.status
          ? "sent"
          : refusalIn(result.response);
      }),
  );
}

function newMessage(folder: string, content: Uint8Array): string {
  const path = `${folder}/message`;
  Deno.writeFileSync(path, content);
  return path;
}

/** A job as the script reads it. */
function inScript(job: Job): Record<string, unknown> {
  const { target, mechanism, message, trusted, login = LOGIN } = job;
  const { sender = SENDER, recipients = RECIPIENTS } = job;
  return {
    ...{ mode: target.mode, port: target.port, helo: HELO, trusted },
    ...{ mechanism, ...login, sender, recipients, message },
  };
}
