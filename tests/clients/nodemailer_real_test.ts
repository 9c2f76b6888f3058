// nodemailer, as programs in JavaScript send mail: under Node, and under Deno.

import { assertEquals } from "../support/assert.ts";
import { temporaryFolder } from "../support/listener.ts";
import { type Ending, type Job, testClient } from "./checks.ts";
import { MESSAGE } from "./messages.ts";
import {
  type Client,
  findProgram,
  HELO,
  LOGIN,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

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

/** What the script makes of a job: an accepted message, or an error. */
interface Result {
  readonly accepted?: readonly string[];
  readonly status?: string;
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** Does jobs, one after another, in one process. */
async function nodemailer(
  program: string,
  { args, runtime }: Runtime,
  jobs: readonly Job[],
): Promise<readonly Ending[]> {
  const { code, stdout, stderr } = await run(program, {
    args,
    cwd: folder,
    stdin: JSON.stringify(jobs.map(inScript)),
  });
  assertEquals(code, 0, stderr);
  const said: { runtime: string; results: readonly Result[] } = JSON.parse(
    stdout,
  );
  assertEquals(said.runtime, runtime);
  return said.results.map((result, i) => endingOf(result, jobs[i]));
}

function endingOf(result: Result, job: Job | undefined): Ending {
  const { accepted, status, ...error } = result;
  if (status === undefined) {
    const { code, responseCode, response = "" } = error;
    return { status: `${code} ${responseCode} ${response}`, shown: response };
  }
  assertEquals(accepted, job?.recipients ?? RECIPIENTS);
  assertEquals(error, {});
  return { status, shown: status };
}

/** A job as the script reads it. */
function inScript(job: Job): Record<string, unknown> {
  const { target, mechanism, trusted, login = LOGIN } = job;
  const { sender = SENDER, recipients = RECIPIENTS } = job;
  const message = `${job.folder}/message`;
  Deno.writeFileSync(message, job.message ?? MESSAGE);
  return {
    ...{ mode: target.mode, port: target.port, helo: HELO, trusted },
    ...{ mechanism, ...login, sender, recipients, message },
  };
}

for (const client of RUNTIMES) {
  testClient({
    ...client,
    send: (program, jobs) => nodemailer(program, client, jobs),
    expects: {
      sent: { status: "250 2.0.0" },
      wrong: {
        status: "EAUTH 535 535 5.7.8 Authentication credentials invalid",
      },
      outage: {
        status: "EAUTH 454 454 4.7.0 Temporary authentication failure",
      },
    },
    large: ["plain text", "STARTTLS", "implicit TLS"],
    utf8: { recipients: ["用户@example.net", "bob@example.net"] },
    tokens: {
      criterion: "brings tokens of 6 KB over STARTTLS and over TLS, as XOAUTH2",
      mechanisms: ["XOAUTH2"],
    },
  });
}
