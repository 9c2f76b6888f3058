// Net::SMTP, of Perl's standard library, which git send-email sends by. Its
// PLAIN names the user twice: whom to act for, and who it is.

import { assertEquals } from "../support/assert.ts";
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

const SCRIPT = new URL("./net_smtp_client.pl", import.meta.url).pathname;

const MODULES = ["Net::SMTP", "Authen::SASL", "IO::Socket::SSL"];

const PERL: Client = {
  name: "Net::SMTP",
  program: findPerl(),
  missing:
    "there is no perl with Authen::SASL and IO::Socket::SSL (Debian packages libauthen-sasl-perl and libio-socket-ssl-perl)",
};

function findPerl(): string | undefined {
  const program = findProgram("perl");
  if (program === undefined) return undefined;
  const { success } = new Deno.Command(program, {
    args: [...MODULES.map((name) => `-M${name}`), "-e1"],
    stdout: "null",
    stderr: "null",
  }).outputSync();
  return success ? program : undefined;
}

/** Does jobs, one after another, in one process. */
async function netSmtp(
  program: string,
  jobs: readonly Job[],
): Promise<readonly Ending[]> {
  const { code, stdout, stderr } = await run(program, {
    args: [SCRIPT],
    stdin: JSON.stringify(jobs.map(inScript)),
  });
  assertEquals(code, 0, stderr);
  const results: readonly string[] = JSON.parse(stdout);
  return results.map((result) => ({ status: result, shown: result }));
}

/** A job as the script reads it. */
function inScript(job: Job): Record<string, unknown> {
  const { target, mechanism, trusted, folder, login = LOGIN } = job;
  const { sender = SENDER, recipients = RECIPIENTS } = job;
  const message = `${folder}/message`;
  Deno.writeFileSync(message, job.message ?? MESSAGE);
  return {
    ...{ mode: target.mode, port: target.port, helo: HELO, trusted },
    ...{ mechanism, ...login, sender, recipients, message },
  };
}

testClient({
  ...PERL,
  send: netSmtp,
  expects: {
    sent: { status: "sent" },
    wrong: {
      status: "AUTH 535 5.7.8 Authentication credentials invalid",
    },
    outage: { status: "AUTH 454 4.7.0 Temporary authentication failure" },
  },
  large: ["plain text", "STARTTLS", "implicit TLS"],
});
