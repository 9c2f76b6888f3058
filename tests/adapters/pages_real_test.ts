// The configurations that docs/ prints, run as printed: only addresses, paths
// and the group of the socket are the tests' own. Dovecot's is in use in
// dovecot_real_test.ts, those for saslauthd in postfix_real_test.ts and
// exim_real_test.ts.

import { serveDovecotAuth } from "../../adapters/dovecot/server.ts";
import { newNginxAnswers } from "../../adapters/nginx/handler.ts";
import { serveNginxAuth } from "../../adapters/nginx/server.ts";
import { serveSmtp } from "../../smtp/listener.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { daemonTest, freePort } from "../support/daemons.ts";
import { EXIM_HEAVY, startExim } from "../support/exim_daemon.ts";
import {
  LOGINS,
  newTestEndpoint,
  type TestEndpoint,
} from "../../testing/endpoint.ts";
import { temporaryFolder } from "../support/listener.ts";
import { NGINX, startNginx } from "../support/nginx.ts";
import { codeBlocks, placed } from "../support/pages.ts";
import { newPostfix, POSTFIX, POSTFIX_USER } from "../support/postfix.ts";
import { plain, SmtpClient } from "../../testing/client.ts";

const [LOGIN] = LOGINS;

/** What one login over STARTTLS gets, codes and text. */
async function reply(port: number, password: string): Promise<string> {
  const { cert } = await testCertificate();
  using client = await SmtpClient.greeted(port);
  await client.command("STARTTLS", "220");
  await client.beginTls(cert);
  await client.command("EHLO client.example.net", "250");
  await client.send(`AUTH PLAIN ${plain(LOGIN.username, password)}`);
  const { status, lines } = await client.reply();
  return `${status} ${lines.join(" ")}`;
}

/** The three rows of every page's table. */
async function replies(
  port: number,
  endpoint: TestEndpoint,
): Promise<string[]> {
  const right = await reply(port, LOGIN.password);
  const wrong = await reply(port, "x");
  await endpoint.break("500");
  const outage = await reply(port, LOGIN.password);
  await endpoint.break("none");
  return [right, wrong, outage];
}

daemonTest(POSTFIX, "works as docs/postfix.md says", async (program) => {
  await using endpoint = await newTestEndpoint();
  const { cert, key } = await testCertificate();
  const [main = "", master] = codeBlocks("docs/postfix.md", "ini");
  const port = freePort();
  await using postfix = newPostfix(program, {
    main,
    master: placed(master, { "submission inet": `127.0.0.1:${port} inet` }),
    ports: { submission: port },
    files: { "fullchain.pem": cert, "privkey.pem": key },
  });
  await using _server = await serveDovecotAuth({
    path: `${postfix.queue}/private/smtpauth`,
    mode: 0o660,
    group: POSTFIX_USER,
    provider: endpoint.provider,
  });
  await postfix.start();
  assertEquals(await replies(port, endpoint), [
    "235 2.7.0 Authentication successful",
    "535 5.7.8 Error: authentication failed: Authentication credentials invalid",
    "454 4.7.0 Temporary authentication failure: " +
    "Connection lost to authentication server",
  ]);
});

const EXIM_REPLIES = [
  "235 Authentication succeeded",
  "535 Incorrect authentication data",
  "435 Unable to authenticate at present",
];

daemonTest(EXIM_HEAVY, "works as docs/exim.md says", async ({ path }) => {
  await using endpoint = await newTestEndpoint();
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  Deno.chmodSync(folder, 0o755);
  const [dovecot] = codeBlocks("docs/exim.md", "ini");
  await using _server = await serveDovecotAuth({
    path: `${folder}/auth`,
    group: "Debian-exim",
    provider: endpoint.provider,
  });
  const port = freePort();
  await using _exim = await startExim(
    path,
    [port],
    [placed(dovecot, { "/run/smtpauth/auth": `${folder}/auth` })],
    await testCertificate(),
  );
  assertEquals(await replies(port, endpoint), EXIM_REPLIES);
});

daemonTest(NGINX, "works as docs/nginx.md says", async ({ path }) => {
  await using endpoint = await newTestEndpoint();
  const { cert, key } = await testCertificate();
  await using upstream = serveSmtp({
    port: 0,
    provider: () => "authFailure",
    requireAuth: false,
  }, () => {});
  // The command's own port, but for the seconds that a refusal is held back.
  await using auth = await serveNginxAuth(
    newNginxAnswers(endpoint.provider, {
      upstream: { hostname: "127.0.0.1", port: upstream.addrs[0]?.port ?? 0 },
      secret: "change-me",
      waitSeconds: 1,
    }),
    { port: 0 },
  );
  const [at] = auth.addrs;
  assert(at?.transport === "tcp");
  const port = freePort();
  const [mail] = codeBlocks("docs/nginx.md", "nginx");
  await using _nginx = await startNginx(path, {
    port,
    mail: placed(mail, {
      "127.0.0.1:8026": `127.0.0.1:${at.port}`,
      "listen 587": `listen 127.0.0.1:${port}`,
    }),
    files: { "fullchain.pem": cert, "privkey.pem": key },
  });
  assertEquals(await replies(port, endpoint), [
    "235 2.0.0 OK",
    "535 5.7.8 Authentication credentials invalid",
    "454 4.7.0 Temporary authentication failure",
  ]);
});
