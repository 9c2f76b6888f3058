import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { serveHttp } from "../support/http_end.ts";
import { PASSWORD, temporaryFolder, USER } from "../support/listener.ts";
import { serveHop } from "../support/scripted_hop.ts";
import { LOCAL, type Served, startServing } from "../support/served.ts";
import { SmtpClient } from "../../testing/client.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Where the figures of a command are. */
function urlOf({ messages }: Served): string {
  const told = messages().map((message) =>
    /^listening on (\S+) for metrics$/.exec(message)?.[1]
  ).find((address) => address !== undefined);
  return `http://${told}`;
}

/** Status and text of a page. */
async function get(url: string): Promise<[number, string]> {
  const response = await fetch(url);
  return [response.status, await response.text()];
}

/** The samples of a page of figures, without the buckets. */
async function samples(served: Served): Promise<string[]> {
  const [status, text] = await get(`${urlOf(served)}/metrics`);
  assertEquals(status, 200);
  return text.split("\n").filter((line) =>
    line !== "" && !line.startsWith("#") && !line.includes("_bucket{")
  );
}

Deno.test("--metrics-port counts what happens, by the names of DESIGN, and names nobody", async () => {
  using cleanUp = new DisposableStack();
  await using served = await startServing([
    ...["--metrics-port", "0"],
    ...["--maildir", `${temporaryFolder(cleanUp)}/maildir`],
  ]);
  const client = await SmtpClient.greeted(served.port);
  await client.login(USER, "wrong", "535");
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("Hello", ".");
  await client.expect("250");
  await client.command("NONSENSE", "500");
  const during = await samples(served);
  for (
    const sample of [
      'smtpauth_auth_total{via="smtp",mechanism="PLAIN",outcome="invalid",reason="wrong-credentials"} 1',
      'smtpauth_auth_total{via="smtp",mechanism="PLAIN",outcome="ok",reason="ok"} 1',
      'smtpauth_connections_total{tls="false"} 1',
      'smtpauth_connections{tls="false"} 1',
      'smtpauth_messages_total{code="250"} 1',
      "smtpauth_message_octets_total 7",
      'smtpauth_throttled_total{by="user"} 0',
      "smtpauth_auth_duration_seconds_count 2",
      "smtpauth_backend_in_flight 0",
      "smtpauth_backend_waiting 0",
      'smtpauth_build_info{version="0.1.0"} 1',
    ]
  ) {
    assert(during.includes(sample), `${sample} in ${during.join("\n")}`);
  }
  await client.command("QUIT", "221");
  await client.expectEnd();
  client.close();
  const after = await samples(served);
  for (
    const sample of [
      'smtpauth_closed_total{reason="quit"} 1',
      'smtpauth_connections{tls="false"} 0',
      'smtpauth_refused_total{reason="unknown-command"} 1',
    ]
  ) {
    assert(after.includes(sample), `${sample} in ${after.join("\n")}`);
  }
  assert(!after.join("\n").includes("ann"), "no user name");
  assert(!after.join("\n").includes("certificate"), "there is none");
});

Deno.test("--metrics-port says when the certificate ends", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { cert, key } = await testCertificate();
  Deno.writeTextFileSync(`${folder}/cert.pem`, cert);
  Deno.writeTextFileSync(`${folder}/key.pem`, key);
  await using served = await startServing([
    ...["--metrics-port", "0", "--maildir", `${folder}/maildir`],
    ...["--tls-cert", `${folder}/cert.pem`, "--tls-key", `${folder}/key.pem`],
  ]);
  const line = (await samples(served)).find((sample) =>
    sample.startsWith("smtpauth_certificate_expiry_seconds ")
  );
  const seconds = Number(line?.split(" ")[1]);
  assert(seconds > Date.now() / 1000, line);
});

Deno.test("a probe leaves no line in the log, and a port that nobody asked for is not there", async () => {
  using cleanUp = new DisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  await using served = await startServing([
    ...["--metrics-port", "0", "--maildir", maildir],
  ]);
  const url = urlOf(served);
  const before = served.messages();
  assertEquals(await get(`${url}/livez`), [200, "ok\n"]);
  assertEquals(await get(`${url}/readyz`), [200, "ok\n"]);
  assertEquals((await get(`${url}/`))[0], 404);
  assertEquals(served.messages(), before);
  await using plain = await startServing(["--maildir", maildir]);
  assertEquals(plain.messages().length, 1);
});

Deno.test("/readyz is 503 before the listener has closed, and the page goes with the last client", async () => {
  using cleanUp = new DisposableStack();
  const served = await startServing([
    ...["--metrics-port", "0"],
    ...["--maildir", `${temporaryFolder(cleanUp)}/maildir`],
  ]);
  const url = urlOf(served);
  using client = await SmtpClient.greeted(served.port);
  await client.login(USER, PASSWORD);
  await client.command("MAIL FROM:<ann@example.org>", "250");
  const ended = served.serving.shutdown();
  assertEquals(await get(`${url}/readyz`), [503, "stopping\n"]);
  assertEquals(await get(`${url}/livez`), [200, "ok\n"]);
  await client.command("RSET", "250");
  await client.expect("421 4.3.2");
  await client.expectEnd();
  client.close();
  await ended;
  await assertRejects(() => fetch(`${url}/readyz`), TypeError);
});

Deno.test("/readyz is 503 while the endpoint fails, never because of one call, and none of that is a user's", async () => {
  using cleanUp = new DisposableStack();
  let status = 500;
  await using end = serveHttp(() => Response.json({ ok: true }, { status }));
  await using served = await startServing([
    ...["--metrics-port", "0", "--auth-url", end.url],
    ...["--maildir", `${temporaryFolder(cleanUp)}/maildir`],
  ], {});
  const url = urlOf(served);
  using client = await SmtpClient.greeted(served.port);
  for (let i = 0; i < 3; i++) {
    assertEquals((await get(`${url}/readyz`))[0], 200, `after ${i}`);
    await client.login(USER, PASSWORD, "454");
  }
  assertEquals(await get(`${url}/readyz`), [
    503,
    "the back end fails: backend-status\n",
  ]);
  status = 200;
  await client.login(USER, PASSWORD);
  assertEquals((await get(`${url}/readyz`))[0], 200);
  const all = await samples(served);
  assert(
    all.includes(
      'smtpauth_backend_duration_seconds_count{reason="backend-status"} 3',
    ),
    all.join("\n"),
  );
  assert(
    all.includes('smtpauth_backend_duration_seconds_count{reason="ok"} 1'),
  );
});

Deno.test("/readyz is 503 while the next hop fails", async () => {
  await using hop = serveHop({
    script: { greeting: { say: "421 4.3.2 no", then: "close" } },
  });
  await using served = await startServing([
    ...["--metrics-port", "0", "--relay", `smtp://127.0.0.1:${hop.port}`],
  ], LOCAL);
  using client = await SmtpClient.greeted(served.port);
  await client.login(USER, PASSWORD);
  for (let i = 0; i < 3; i++) {
    await client.command("MAIL FROM:<ann@example.org>", "451 4.4.1");
  }
  const [status, text] = await get(`${urlOf(served)}/readyz`);
  assertEquals([status, text], [
    503,
    "mail is not taken: relay-unreachable\n",
  ]);
  const all = await samples(served);
  assert(
    all.includes(
      'smtpauth_relay_failures_total{reason="relay-unreachable"} 3',
    ),
  );
});

Deno.test("a port for figures that is taken is an error that names it", async () => {
  using cleanUp = new DisposableStack();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  await assertRejects(
    () =>
      startServing([
        ...["--metrics-port", String(port)],
        ...["--maildir", `${temporaryFolder(cleanUp)}/maildir`],
      ]),
    Error,
    `cannot listen on --metrics-port 127.0.0.1:${port}: `,
  );
});
