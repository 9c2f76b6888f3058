// Real mail clients with listenSmtp() of the package for npm, on Node and Bun.

import { assert, assertEquals } from "../support/assert.ts";
import { assertSameOctets, MESSAGE } from "../clients/messages.ts";
import {
  clientNamed,
  HELO,
  MECHANISMS,
  type Mode,
  RECIPIENTS,
  run,
  type RunOptions,
  SENDER,
} from "../clients/support.ts";
import { testCertificate } from "../support/certificate.ts";
import { temporaryFolder } from "../support/listener.ts";
import {
  LISTENERS_FILES,
  type NodeListener,
  NodeListeners,
  programOf,
} from "../support/node_listeners.ts";
import { installed, RUNTIMES } from "../support/npm_package.ts";

const NODEMAILER = "tests/clients/nodemailer_client.mjs";

const cleanUp = new AsyncDisposableStack();
const project = await installed(
  cleanUp,
  [...LISTENERS_FILES, NODEMAILER],
  ["nodemailer@9.1.1"],
);
const folder = temporaryFolder(cleanUp);
const trusted = `${folder}/trusted.pem`;
const message = `${folder}/message`;
Deno.writeTextFileSync(trusted, (await testCertificate()).cert);
Deno.writeFileSync(message, MESSAGE);
Deno.test.afterAll(() => cleanUp.disposeAsync());

/** What is to be sent how. */
interface Job {
  readonly mode: Mode;
  readonly port: number;
  readonly mechanism: string;
}

/** The program of a client. */
const PROGRAMS: Readonly<Record<string, string>> = { nodemailer: "node" };

/** What sends it: a program that is run so. */
const CLIENTS: Readonly<Record<string, (job: Job) => RunOptions>> = {
  nodemailer: ({ mode, port, mechanism }) => ({
    args: [NODEMAILER],
    cwd: project,
    stdin: JSON.stringify([{
      ...{ mode, port, mechanism, trusted, message, helo: HELO },
      ...{ username: "ann", password: "secret" },
      ...{ sender: SENDER, recipients: RECIPIENTS },
    }]),
  }),
  curl: ({ mode, port, mechanism }) => ({
    args: [
      ...["--disable", "--silent", "--show-error", "--cacert", trusted],
      mode === "STARTTLS" ? "--ssl-reqd" : "--ssl",
      ...["--url", `${curlScheme(mode)}://127.0.0.1:${port}/${HELO}`],
      ...["--user", "ann:secret", "--login-options", `AUTH=${mechanism}`],
      ...["--mail-from", SENDER, "--upload-file", message],
      ...RECIPIENTS.flatMap((recipient) => ["--mail-rcpt", recipient]),
    ],
  }),
  swaks: ({ mode, port, mechanism }) => ({
    args: [
      ...["--server", "127.0.0.1", "--port", String(port), "--helo", HELO],
      ...["--from", SENDER, "--to", RECIPIENTS.join(",")],
      ...["--auth", mechanism, "--auth-user", "ann"],
      ...["--auth-password", "secret", "--tls-ca-path", trusted],
      ...mode === "plain text"
        ? []
        : [mode === "STARTTLS" ? "--tls" : "--tlsc", "--tls-verify"],
      // It puts a CRLF between the message and the final dot in any case.
      ...["--data", "-"],
    ],
    env: { HOME: folder },
    stdin: MESSAGE.subarray(0, -2),
  }),
  msmtp: ({ mode, port, mechanism }) => ({
    args: [
      ...["--file=/dev/null", "--host=127.0.0.1", `--port=${port}`],
      ...[`--domain=${HELO}`, `--from=${SENDER}`, "--user=ann"],
      ...[`--auth=${mechanism.toLowerCase()}`, "--passwordeval=echo secret"],
      ...mode === "plain text" ? [] : [
        ...["--tls=on", `--tls-trust-file=${trusted}`],
        `--tls-starttls=${mode === "STARTTLS" ? "on" : "off"}`,
      ],
      ...RECIPIENTS,
    ],
    env: { HOME: folder },
    stdin: MESSAGE,
  }),
};

function curlScheme(mode: Mode): string {
  return mode === "implicit TLS" ? "smtps" : "smtp";
}

/** Sends by both mechanisms in a mode, and compares what has arrived. */
async function sendTwo(
  program: string,
  command: (job: Job) => RunOptions,
  mode: Mode,
  listener: NodeListener,
): Promise<void> {
  const port = mode === "implicit TLS" ? listener.tlsPort : listener.port;
  const before = listener.messages.length;
  for (const mechanism of MECHANISMS) {
    const { code, stdout, stderr } = await run(
      program,
      command({ mode, port, mechanism }),
    );
    assertEquals(code, 0, `${mode} ${mechanism}: ${stdout}${stderr}`);
  }
  const got = listener.messages.slice(before);
  assertEquals(
    got.map(({ envelope: { sender, recipients, user, tls, heloName } }) => ({
      ...{ sender, recipients, user, tls, heloName },
    })),
    MECHANISMS.map(() => ({
      ...{ sender: SENDER, recipients: [...RECIPIENTS], user: "ann" },
      ...{ tls: mode !== "plain text", heloName: HELO },
    })),
  );
  for (const { octets } of got) assertSameOctets(octets, MESSAGE, mode);
}

for (const runtime of RUNTIMES) {
  Deno.test(`listenSmtp() takes mail of real clients in plain text, over STARTTLS and over TLS: ${runtime.name}`, async (t) => {
    await using listeners = new NodeListeners(
      project,
      await programOf(project, runtime.program),
    );
    const certificate = await testCertificate();
    await using plain = await listeners.listen({ options: { port: 0 } });
    await using tls = await listeners.listen({
      options: { port: 0, tlsPort: 0, ...certificate },
    });
    for (const [name, command] of Object.entries(CLIENTS)) {
      const { program } = clientNamed(PROGRAMS[name] ?? name, name);
      await t.step({
        name,
        ignore: program === undefined,
        fn: async () => {
          assert(program !== undefined);
          await sendTwo(program, command, "plain text", plain);
          await sendTwo(program, command, "STARTTLS", tls);
          await sendTwo(program, command, "implicit TLS", tls);
        },
      });
    }
  });
}
