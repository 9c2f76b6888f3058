// The way to the endpoint: private authorities, proxies, and what is told.

import { MAIL, wayWarnings } from "../../command/endpoint.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { serveHttp } from "../support/http_end.ts";
import {
  PASSWORD,
  runCommand,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { serveRaw } from "../support/raw_end.ts";
import { SmtpClient } from "../../testing/client.ts";
import { newTestCertificate } from "../support/tls_certificate.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("wayWarnings() tells of plain text and of proxies on the way to another machine", () => {
  const proxy = { HTTP_PROXY: "http://ann:s3cret@proxy.example:3128" };
  const plain =
    "passwords cross the network in plain text to a.example:8025 (--auth-url is http:)";
  const through =
    "logins go to a.example:8025 through the proxy that HTTP_PROXY names (NO_PROXY spares hosts)";
  const rows = [
    ["https://a.example/", proxy, []],
    ["http://a.example:8025/x?key=s3cret", {}, [plain]],
    ["http://a.example:8025/x?key=s3cret", proxy, [plain, through]],
    ["http://127.0.0.1:8025/", proxy, []],
    ["http://localhost:8025/", proxy, []],
    ["http://[::1]:8025/", proxy, []],
  ] as const;
  for (const [url, variables, expected] of rows) {
    const variable = (name: string) =>
      new Map<string, string>(Object.entries(variables)).get(name);
    assertEquals(wayWarnings(new URL(url), variable), [...expected], url);
  }
  const url = new URL("http://a.example:8025/");
  assertEquals(wayWarnings(url, () => undefined, MAIL), [
    "mail crosses the network in plain text to a.example:8025 (--deliver-url is http:)",
  ]);
});

Deno.test("main.ts keeps mail for the machine itself from proxies", async () => {
  await using proxy = serveRaw((connection) => connection.gone());
  await using end = serveHttp(() => new Response());
  await using listener = await startListener({
    args: ["--deliver-url", end.url],
    maildir: null,
    env: { HTTP_PROXY: `http://${proxy.host}`, DENO_NO_UPDATE_CHECK: "1" },
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("Subject: x", "", "text", ".", "QUIT");
  await client.expect("250", "221");
  await client.expectEnd();
  assertEquals([end.requests.length, proxy.connections()], [1, 0]);
});

async function logIn(port: number, status: string): Promise<void> {
  using client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD, status);
  await client.command("QUIT", "221");
  await client.expectEnd();
}

Deno.test("main.ts keeps logins for the machine itself from proxies", async () => {
  await using proxy = serveRaw((connection) => connection.gone());
  await using end = serveHttp(() => Response.json({ ok: true }));
  for (const name of ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]) {
    await using listener = await startListener({
      authUrl: end.url,
      env: {
        [name]: `http://${proxy.host}`,
        NO_PROXY: "a.example",
        // Deno itself may ask through the proxy whether there is a newer one.
        DENO_NO_UPDATE_CHECK: "1",
      },
    });
    await logIn(listener.port, "235");
  }
  assertEquals([proxy.connections(), end.requests.length], [0, 3]);
});

Deno.test("main.ts --auth-ca trusts a private authority, and only so", async () => {
  using cleanUp = new DisposableStack();
  const tls = await newTestCertificate();
  const file = `${temporaryFolder(cleanUp)}/ca.pem`;
  await Deno.writeTextFile(file, tls.cert);
  await using end = serveHttp(() => Response.json({ ok: true }), { tls });
  {
    await using listener = await startListener({ authUrl: end.url });
    await logIn(listener.port, "454");
    await listener.logged(/backend-unreachable: certificate not trusted/);
  }
  assertEquals(end.requests.length, 0);
  await using proxy = serveRaw((connection) => connection.gone());
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-ca", file],
    env: {
      HTTPS_PROXY: `http://${proxy.host}`,
      DENO_NO_UPDATE_CHECK: "1",
    },
  });
  await logIn(listener.port, "235");
  assertEquals(proxy.connections(), 0);
});

Deno.test("main.ts refuses an authority's file that it can't use, and says why", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
  const { key } = await newTestCertificate();
  const rows = [
    [undefined, "No such file or directory"],
    ["", "there is no certificate in it"],
    [key, "there is no certificate in it"],
    [broken, "invalid peer certificate: BadEncoding"],
  ] as const;
  for (const [pem, reason] of rows) {
    const file = `${folder}/ca.pem`;
    if (pem !== undefined) await Deno.writeTextFile(file, pem);
    const { code, stderr } = await runCommand({
      args: ["--auth-url", "https://127.0.0.1:8025/", "--auth-ca", file],
      env: { MEOWMAIL_SMTP_PORT: "0" },
    });
    assertEquals(code, 1);
    assertStringIncludes(stderr, `cannot use --auth-ca ${file}: ${reason}`);
  }
});
