// nodemailer's smtp-server, with smtpServerAuth() as its onAuth, under Node and
// under Deno.

import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import {
  type AdapterCheck,
  checkDecisions,
  checkOutages,
} from "../../support/adapter_check.ts";
import { testCertificate } from "../../support/certificate.ts";
import { freePort } from "../../support/daemons.ts";
import { LOGINS, newTestEndpoint } from "../../../testing/endpoint.ts";
import { base64 } from "../../support/octets.ts";
import { codeBlocks, placed } from "../../support/pages.ts";
import { plain, SmtpClient } from "../../../testing/client.ts";
import {
  getSmtpServer,
  hasNode,
  type Runtime,
} from "../../support/smtp_server_package.ts";

/** A login with a token, which is a password to the endpoint. */
const TOKEN_LOGIN = {
  username: "ann@example.com",
  password: "eyJhbGciOiJFUzI1NiJ9.c3Vi-_~+/==",
};

const [LOGIN] = LOGINS;

const installed = getSmtpServer();
if (installed === undefined) {
  console.warn("The tests with smtp-server are skipped: npm is out of reach");
}
addEventListener("unload", () => installed?.[Symbol.dispose]());

Deno.test({
  name: "smtp-server asks the provider, under Node and under Deno",
  ignore: installed === undefined,
  fn: async (t) => {
    const server = installed;
    if (server === undefined) return;
    const runtimes: Runtime[] = hasNode() ? ["Node", "Deno"] : ["Deno"];
    if (!hasNode()) {
      console.warn("The test with smtp-server under Node is skipped: no node");
    }
    for (const runtime of runtimes) {
      await using endpoint = await newTestEndpoint({
        users: [...LOGINS, TOKEN_LOGIN],
      });
      await using running = await server.start(runtime, endpoint.url);
      const { port } = running;
      const check: AdapterCheck = {
        port,
        endpoint,
        ok: "235",
        invalid: "535",
        failure: "454",
      };
      await t.step(
        `${runtime}: right and wrong passwords`,
        () => checkDecisions(check),
      );
      await t.step(
        `${runtime}: no outage is a wrong password`,
        () => checkOutages(check),
      );
      await t.step(`${runtime}: what the endpoint is asked`, async () => {
        using client = await SmtpClient.greeted(port);
        await client.login(LOGIN.username, LOGIN.password, "235");
        assertEquals(endpoint.asked.at(-1), {
          username: LOGIN.username,
          mechanism: "PLAIN",
          remoteIp: "127.0.0.1",
          heloName: "client.example.net",
        });
      });
      await t.step(
        `${runtime}: what no user can mean is not asked`,
        async () => {
          const before = endpoint.asked.length;
          using client = await SmtpClient.greeted(port);
          const latin1 = base64([0, 0x61, 0, 0xe4]);
          await client.command(`AUTH PLAIN ${latin1}`, "535");
          await client.command(
            `AUTH PLAIN ${plain("ann", "x", "bob")}`,
            "535",
          );
          await client.command(`AUTH PLAIN ${plain("ann", "")}`, "501");
          await client.command(`AUTH PLAIN ${plain("", "x", "bob")}`, "501");
          assertEquals(endpoint.asked.length, before);
        },
      );
      await t.step(`${runtime}: tokens come through`, async () => {
        // To the endpoint a token is what a password is.
        const { username, password } = TOKEN_LOGIN;
        const message = (token: string) =>
          base64(`user=${username}\x01auth=Bearer ${token}\x01\x01`);
        using client = await SmtpClient.greeted(port);
        const wrong = `AUTH XOAUTH2 ${message("wrong")}`;
        const { lines } = await client.command(wrong, "334");
        assertEquals(lines, [base64('{"status":"401","schemes":"bearer"}')]);
        await client.command("", "535");
        await client.command("AUTH XOAUTH2", "334");
        await client.command(message(password), "235");
        assertEquals(endpoint.asked.at(-1)?.mechanism, "XOAUTH2");
      });
      await t.step(`${runtime}: the log has no password`, () => {
        const log = running.output();
        assertMatch(log, /"via":"smtp-server","id":"[^"]+","outcome":"ok"/);
        for (const { password } of [...LOGINS, TOKEN_LOGIN]) {
          assert(!log.includes(password));
        }
      });
    }
  },
});

Deno.test({
  name:
    "smtp-server works as docs/smtp-server.md prints it, with a key of its own (issue 11)",
  ignore: installed === undefined || !hasNode(),
  fn: async () => {
    const server = installed;
    if (server === undefined) return;
    const { cert, key } = await testCertificate();
    const [block] = codeBlocks("docs/smtp-server.md", "js ignore");
    const port = freePort();
    await using endpoint = await newTestEndpoint();
    const source = placed(block, {
      "https://intranet.example/may-send": endpoint.url,
      "listen(587)": `listen(${port}, "127.0.0.1")`,
    });
    const files = { "fullchain.pem": cert, "privkey.pem": key };
    await using _server = await server.startPage(source, files, port);
    using client = await SmtpClient.greeted(port);
    // Nobody else's certificate is trusted.
    await client.command("STARTTLS", "220");
    await client.beginTls(cert);
    await client.command("EHLO client.example.net", "250");
    await client.login(LOGIN.username, LOGIN.password, "235");
  },
});
