// msmtp, the sendmail of many small machines.

import { type Ending, type Job, oneByOne, testClient } from "./checks.ts";
import { MESSAGE } from "./messages.ts";
import {
  clientNamed,
  HELO,
  LOGIN,
  RECIPIENTS,
  run,
  SENDER,
} from "./support.ts";

/** Its exit status for a failed authentication, for now or for good. */
const EX_NOPERM = 77;

/** It sends no line of more than 4,094 octets. */
const MAX_TOKEN_OCTETS = 2900;

async function msmtp(program: string, job: Job): Promise<Ending> {
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
  const { code, stdout, stderr } = await run(program, {
    args: ["--debug", "--file", config, ...RECIPIENTS],
    stdin: message,
    env: { HOME: folder },
  });
  return { status: code, shown: `${stdout}\n${stderr}` };
}

testClient({
  ...clientNamed("msmtp", "msmtp"),
  send: oneByOne(msmtp),
  expects: {
    sent: { status: 0, shows: [/^<-- 235 2\.7\.0 /m, /^<-- 221 2\.0\.0 /m] },
    wrong: {
      status: EX_NOPERM,
      shows: [/^msmtp: server message: 535 5\.7\.8 /m],
    },
    outage: {
      status: EX_NOPERM,
      shows: [/^msmtp: server message: 454 4\.7\.0 /m],
    },
  },
  large: ["plain text"],
  tokens: {
    criterion:
      "brings tokens over STARTTLS and over TLS, as large as its lines are",
    mechanisms: ["XOAUTH2", "OAUTHBEARER"],
    octets: MAX_TOKEN_OCTETS,
    username: "ann@example.org",
  },
});
