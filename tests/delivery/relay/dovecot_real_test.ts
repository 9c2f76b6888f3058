// Dovecot's submission service as the next hop. It is a proxy itself: what it
// takes goes on to a server behind it, and so do that one's replies.

import { assertEquals, assertMatch } from "../../support/assert.ts";
import { testCertificate } from "../../support/certificate.ts";
import {
  type Daemon,
  type DaemonTest,
  daemonTest,
  findProgram,
  freePort,
  startDaemon,
  userIds,
} from "../../support/daemons.ts";
import { temporaryFolder } from "../../support/listener.ts";
import { newTestRelay, send } from "../../support/relay.ts";
import { serveHop } from "../../support/scripted_hop.ts";
import type { TestCertificate } from "../../support/tls_certificate.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const SUBMISSION: DaemonTest = {
  server: "Dovecot's submission service",
  program: findProgram(
    "/usr/sbin/dovecot",
    "dovecot-core",
    ({ root }) => hasSubmission(root),
  ),
  missing: "there is no Debian package dovecot-submissiond",
};

function hasSubmission(root: string): boolean {
  return findProgram(`${root}/usr/lib/dovecot/submission`, "") !== undefined;
}

/** Whose mailbox a login would open; nobody reads it. */
const MAILBOX_USER = "nobody";

function configuration(
  folder: string,
  ports: { readonly own: number; readonly behind: number },
): string {
  const { uid, gid } = userIds(MAILBOX_USER);
  return `base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
hostname = submission.example.net
protocols = submission
ssl = required
ssl_cert = <${folder}/cert.pem
ssl_key = <${folder}/key.pem
auth_mechanisms = plain login
first_valid_uid = 1
mail_location = maildir:${folder}/mail
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/mail
}
submission_relay_host = 127.0.0.1
submission_relay_port = ${ports.behind}
service submission-login {
  inet_listener submission {
    address = 127.0.0.1
    port = ${ports.own}
  }
  inet_listener submissions {
    port = 0
  }
}
`;
}

/** Starts one in front of the server at a port. */
async function startSubmission(
  program: string,
  { cert, key }: TestCertificate,
  behind: number,
  cleanUp: AsyncDisposableStack,
): Promise<Daemon & { readonly port: number }> {
  const folder = temporaryFolder(cleanUp);
  Deno.chmodSync(folder, 0o755);
  for (const name of ["run", "mail"]) Deno.mkdirSync(`${folder}/${name}`);
  const { uid, gid } = userIds(MAILBOX_USER);
  Deno.chownSync(`${folder}/mail`, uid, gid);
  const port = freePort();
  const files = {
    "cert.pem": cert,
    "key.pem": key,
    users: "relay@example.org:{PLAIN}s3cret::::::\n",
    "dovecot.conf": configuration(folder, { own: port, behind }),
  };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const daemon = cleanUp.use(
    await startDaemon(program, {
      args: ["-F", "-c", `${folder}/dovecot.conf`],
      group: true,
      ports: [port],
      log: `${folder}/log`,
    }),
  );
  return { ...daemon, port };
}

daemonTest(SUBMISSION, "takes what a relay hands on", async ({ path }, t) => {
  await using cleanUp = new AsyncDisposableStack();
  const behind = cleanUp.use(serveHop({
    extensions: ["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"],
    script: {
      RCPT: (line) =>
        line.includes("nobody@")
          ? "550 5.1.1 no such user\r\n"
          : "250 2.1.5 ok\r\n",
    },
  }));
  const certificate = await testCertificate();
  const { port } = await startSubmission(
    path,
    certificate,
    behind.port,
    cleanUp,
  );
  const relayOf = (password: string) =>
    newTestRelay({
      url: `starttls://localhost:${port}`,
      ca: certificate.cert,
      username: "relay@example.org",
      password,
    });

  await t.step("by STARTTLS and PLAIN, over one connection", async () => {
    using relay = relayOf("s3cret");
    for (const subject of ["one", "two"]) {
      const body = [`Subject: ${subject}\r\n\r\n`, ".\r\n..a\r\nb\r\n"];
      assertEquals(await send(relay, { body }), ["250 2.1.5", "250 2.0.0"]);
    }
    assertEquals(behind.messages().length, 2);
    assertMatch(
      behind.messages()[1] ?? "",
      /\r\nReceived: from laptop \(\[192\.0\.2\.7\]\)\r\n[^]*\r\nSubject: two\r\n\r\n\.\.\r\n\.\.\.a\r\nb\r\n$/,
    );
    assertEquals(relay.events, []);
  });

  await t.step("with a reply for each recipient", async () => {
    using relay = relayOf("s3cret");
    const recipients = ["bob@example.net", "nobody@example.net"];
    assertEquals(await send(relay, { recipients }), [
      ...["250 2.1.5", "550 5.1.1"],
      "250 2.0.0",
    ]);
  });

  await t.step("but a wrong password is 451 4.7.0", async () => {
    using relay = relayOf("wrong");
    assertEquals(await send(relay), ["451 4.7.0"]);
    assertEquals(relay.events.map(({ reason, detail }) => [reason, detail]), [
      ["relay-credentials", "535 5.7.8"],
    ]);
  });
});
