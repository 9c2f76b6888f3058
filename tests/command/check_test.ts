import { check } from "../../command/check.ts";
import { checkNextHop } from "../../command/check_next_hop.ts";
import { checkCertificate } from "../../command/check_certificate.ts";
import { readInvocation } from "../../command/invocation.ts";
import type { Settings } from "../../command/settings.ts";
import { readCertificateFacts } from "../../net/certificate.ts";
import { assertEquals } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { newFakeDovecot } from "../support/fake_dovecot.ts";
import { runCommand, temporaryFolder } from "../support/listener.ts";
import { base64 } from "../support/octets.ts";
import { holdRefusedPort } from "../support/raw_end.ts";
import { serveHop } from "../support/scripted_hop.ts";
import { newTestCertificate } from "../support/tls_certificate.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const LOCAL = { MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS: "secret" };

function settingsOf(
  args: readonly string[],
  env: Readonly<Record<string, string>> = LOCAL,
): Settings {
  const read = () => new Uint8Array();
  const invocation = readInvocation(["--check", ...args], () => env, read);
  if (invocation.kind !== "check") throw new Error(invocation.kind);
  return invocation.settings;
}

/** The lines of a check, and whether all is well. */
async function checked(
  args: readonly string[],
  env?: Readonly<Record<string, string>>,
) {
  const lines: string[] = [];
  const good = await check(settingsOf(args, env), (line) => lines.push(line));
  return { good, lines };
}

/** Flags for a maildir that can be made, and what is said about it. */
function maildirIn(folder: string) {
  const maildir = `${folder}/deep/maildir`;
  return {
    args: ["--maildir", maildir],
    line: `ok    maildir ${maildir}: can be made at the start\n`,
  };
}

Deno.test("check() finds nothing wrong with a maildir that can be made, and makes nothing", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { args, line } = maildirIn(folder);
  assertEquals(await checked(args), { good: true, lines: [line] });
  assertEquals([...Deno.readDirSync(folder)], []);
  Deno.mkdirSync(`${folder}/deep/maildir/tmp`, { recursive: true });
  assertEquals(await checked(args), {
    good: true,
    lines: [`ok    maildir ${folder}/deep/maildir: can be written to\n`],
  });
  assertEquals([...Deno.readDirSync(`${folder}/deep/maildir/tmp`)], []);
  Deno.writeTextFileSync(`${folder}/file`, "");
  assertEquals(await checked(["--maildir", `${folder}/file`]), {
    good: false,
    lines: [
      `error maildir ${folder}/file: Not a directory: a file stands where a folder must be\n`,
    ],
  });
});

Deno.test("check() says that nobody decides about logins, and tries no maildir with --port off", async () => {
  using cleanUp = new DisposableStack();
  const { args, line } = maildirIn(temporaryFolder(cleanUp));
  assertEquals(await checked(args, {}), {
    good: true,
    lines: [
      "warn  logins: nobody is there to decide; one is made up at each start: set --users or --auth-url\n",
      line,
    ],
  });
  assertEquals(
    await checked([...args, "--port", "off", "--dovecot-socket", "/x/auth"]),
    { good: true, lines: [] },
  );
});

Deno.test("check() tries certificate and key together", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { args, line } = maildirIn(folder);
  const [good, other] = [await newTestCertificate(30), await testCertificate()];
  const files = {
    cert: good.cert,
    key: good.key,
    other: other.key,
    text: "x",
  };
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${name}`, text);
  }
  const pair = (cert: string, key: string) => [
    ...args,
    ...["--tls-cert", `${folder}/${cert}`, "--tls-key", `${folder}/${key}`],
  ];
  const { until } = await readCertificateFacts(good.cert);
  const day = new Date(until).toISOString().slice(0, 10);
  assertEquals(await checked(pair("cert", "key")), {
    good: true,
    lines: [
      `ok    certificate ${folder}/cert for localhost, 127.0.0.1: until ${day}, 29 days\n`,
      line,
    ],
  });
  assertEquals(await checked(pair("cert", "other")), {
    good: false,
    lines: [
      `error cannot use --tls-cert ${folder}/cert with --tls-key ${folder}/other: the key is not that of the certificate\n`,
      line,
    ],
  });
  assertEquals(await checked(pair("text", "key")), {
    good: false,
    lines: [
      `error cannot use --tls-cert ${folder}/text: there is no certificate in PEM in it\n`,
      line,
    ],
  });
});

Deno.test("checkCertificate() says in time that a certificate ends", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { cert, key } = await newTestCertificate(30);
  Deno.writeTextFileSync(`${folder}/cert`, cert);
  Deno.writeTextFileSync(`${folder}/key`, key);
  const settings = settingsOf([
    ...["--tls-cert", `${folder}/cert`, "--tls-key", `${folder}/key`],
  ]);
  const { from, until } = await readCertificateFacts(cert);
  const day = (time: number) => new Date(time).toISOString().slice(0, 10);
  const at = async (now: number) => {
    const finding = await checkCertificate(settings, now);
    return [finding?.level, finding?.text.replace(/^.*?127\.0\.0\.1: /, "")];
  };
  assertEquals(await at(from - 1), [
    "error",
    `it is not valid before ${day(from)}: is the clock of this machine right?`,
  ]);
  assertEquals(await at(until - 14 * 86_400_000), [
    "ok",
    `until ${day(until)}, 14 days`,
  ]);
  assertEquals(await at(until - 14 * 86_400_000 + 1), [
    "warn",
    `it ends on ${day(until)}: renew it`,
  ]);
  assertEquals(await at(until + 1), [
    "error",
    `it expired on ${day(until)}: renew it`,
  ]);
});

Deno.test("check() reads a users file, says who is in it and computes a hash of each kind", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { args, line } = maildirIn(folder);
  const users = `${folder}/users`;
  const say = async (content: string, mode = 0o640) => {
    Deno.writeTextFileSync(users, content);
    Deno.chmodSync(users, mode);
    const { good, lines } = await checked([...args, "--users", users], {});
    assertEquals(lines.pop(), line);
    return [good, lines.join("").replaceAll(folder, "F")];
  };
  const argon2 =
    ":$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$+mWg7mpD2vPhffa1AWlDXg\n";
  const bcrypt =
    "bea:$2y$04$7VVy4jVBLoy3yYBaEyDFa.3tK3frnrWiCmeZ4UyhM6i1b4S02itJi\n";
  assertEquals(await say(`ann${argon2}`), [
    true,
    "ok    users F/users: 1 user (1 $argon2id$)\n",
  ]);
  assertEquals(await say(`ann${argon2}${bcrypt}cat${argon2}`), [
    true,
    "ok    users F/users: 3 users (2 $argon2id$, 1 $2y$)\n",
  ]);
  assertEquals(await say(`${bcrypt}ann:{PLAIN}secret\n`, 0o644), [
    true,
    "warn  users F/users: 2 users (1 $2y$, 1 {PLAIN}); " +
    "whoever reads the users file soon has the password of line 2: make new hashes with --hash-password; " +
    "everybody on this machine can read it: chmod o-r F/users\n",
  ]);
  assertEquals(await say("ann\n"), [
    false,
    "error cannot use --users F/users: line 1: a line must be name:hash or name:hash:senders\n",
  ]);
  assertEquals(await say("# nobody yet\n"), [
    false,
    "error cannot use --users F/users: there is no user: a line must be name:hash or name:hash:senders\n",
  ]);
  Deno.removeSync(users);
  const { lines } = await checked([...args, "--users", users], {});
  assertEquals(
    lines[0],
    `error cannot use --users ${users}: No such file or directory: is the path right?\n`,
  );
});

Deno.test("check() reaches an endpoint without asking it, or says why it can't", async () => {
  using cleanUp = new DisposableStack();
  const { args, line } = maildirIn(temporaryFolder(cleanUp));
  let requests = 0;
  const handler = () => {
    requests++;
    return new Response();
  };
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using plain = Deno.serve(options, handler);
  await using encrypted = Deno.serve(
    { ...options, ...await testCertificate() },
    handler,
  );
  using nobody = await holdRefusedPort();
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  cleanUp.defer(() => silent.close());
  const say = async (url: string, ...more: string[]) => {
    const { good, lines } = await checked([
      ...[...args, "--auth-url", url, "--auth-timeout", "3000", ...more],
    ], {});
    assertEquals(lines.pop(), line);
    return [good, ...lines];
  };
  const at = (port: number) => `127.0.0.1:${port}`;
  assertEquals(await say(`http://${at(plain.addr.port)}/may-send?key=s3cret`), [
    true,
    `ok    --auth-url ${at(plain.addr.port)}: reached\n`,
  ]);
  assertEquals(await say(`https://${at(encrypted.addr.port)}/`), [
    false,
    `error --auth-url ${
      at(encrypted.addr.port)
    }: certificate not trusted: a private authority belongs in --auth-ca\n`,
  ]);
  const ca = `${temporaryFolder(cleanUp)}/ca.pem`;
  Deno.writeTextFileSync(ca, (await testCertificate()).cert);
  const trusting = ["--auth-ca", ca];
  assertEquals(
    await say(`https://${at(encrypted.addr.port)}/`, ...trusting),
    [
      true,
      `ok    --auth-url ${
        at(encrypted.addr.port)
      }: reached, its certificate is good\n`,
    ],
  );
  assertEquals(await say("https://a.example/", "--auth-ca", "/no/ca"), [
    false,
    "error cannot use --auth-ca /no/ca: No such file or directory: is the path right?\n",
  ]);
  assertEquals(await say(`http://${nobody.host}/`), [
    false,
    `error --auth-url ${nobody.host}: refused: nobody listens there\n`,
  ]);
  assertEquals(await say("http://nobody.invalid/"), [
    false,
    "error --auth-url nobody.invalid:80: name not found: is it spelt right?\n",
  ]);
  assertEquals(requests, 0);
});

Deno.test("check() reaches the endpoint that mail goes to, and tries no maildir then", async () => {
  using nobody = await holdRefusedPort();
  await using encrypted = Deno.serve({
    ...{ hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ...await testCertificate(),
  }, () => new Response());
  const at = `127.0.0.1:${encrypted.addr.port}`;
  const rows = [
    [`http://${nobody.host}`, `${nobody.host}: refused: nobody listens there`],
    [
      `https://${at}`,
      `${at}: certificate not trusted: a private authority belongs in DENO_CERT`,
    ],
  ] as const;
  for (const [origin, says] of rows) {
    assertEquals(
      await checked(["--deliver-url", `${origin}/mail?key=s3cret`]),
      {
        good: false,
        lines: [`error --deliver-url ${says}\n`],
      },
    );
  }
});

Deno.test("check() tries no endpoint that a proxy is the way to", async () => {
  // In a process of its own, as the environment is everybody's.
  const run = (...args: string[]) =>
    runCommand({
      args: ["--check", ...args],
      env: {
        HTTPS_PROXY: "http://s3cret@127.0.0.1:9",
        HTTP_PROXY: "http://s3cret@127.0.0.1:9",
        NO_PROXY: "spared.invalid",
      },
    });
  const { code, stdout } = await run(
    ...["--auth-url", "https://nobody.invalid/may-send"],
    ...["--deliver-url", "http://nobody.invalid/mail"],
  );
  assertEquals([code, stdout.split("\n")], [0, [
    "warn  --auth-url nobody.invalid:443: not tried: the way there is the proxy of HTTPS_PROXY",
    "warn  --deliver-url nobody.invalid:80: not tried: the way there is the proxy of HTTP_PROXY",
    "",
  ]]);
  const spared = await run("--auth-url", "https://spared.invalid/");
  assertEquals(
    [spared.code, spared.stdout.split("\n")[0]],
    [
      1,
      "error --auth-url spared.invalid:443: name not found: is it spelt right?",
    ],
  );
});

Deno.test("check() waits for a next hop that says nothing as long as somebody watches, and no longer", async () => {
  await using silent = serveHop({ script: { greeting: { then: "hang" } } });
  const at = `127.0.0.1:${silent.port}`;
  const settings = settingsOf(["--relay", `smtp://${at}`]);
  assertEquals(await checkNextHop(settings, 50), {
    level: "error",
    text:
      `--relay ${at}: it says nothing: does it want TLS from the start (smtps://)?`,
  });
});

Deno.test("check() logs in at the next hop without any mail, and tries no maildir then", async () => {
  using nobody = await holdRefusedPort();
  await using hop = serveHop({
    extensions: ["AUTH PLAIN"],
    script: {
      AUTH: (line) =>
        line.endsWith(base64("\0relay\0right"))
          ? "235 2.7.0 in\r\n"
          : "535 5.7.8 no\r\n",
    },
  });
  const at = `127.0.0.1:${hop.port}`;
  const rows = [
    [`smtp://${at}`, {}, true, `ok    --relay ${at}: reached, no login is set`],
    [
      `smtp://${at}`,
      login("right"),
      true,
      `ok    --relay ${at}: reached, it lets us in`,
    ],
    [
      `smtp://${at}`,
      login("s3cret"),
      false,
      `error --relay ${at}: relay-credentials: 535 5.7.8: are user and password, or client, right there?`,
    ],
    [
      `starttls://${at}`,
      {},
      false,
      `error --relay ${at}: relay-tls: the next hop does not offer STARTTLS: does it need --relay-ca, or another scheme in --relay?`,
    ],
    [
      `smtp://${nobody.host}`,
      {},
      false,
      `error --relay ${nobody.host}: relay-unreachable: refused: is --relay right, and does a server listen there?`,
    ],
  ] as const;
  for (const [url, env, isGood, line] of rows) {
    const { good, lines } = await checked(["--relay", url], {
      ...LOCAL,
      ...env,
    });
    assertEquals([good, ...lines], [isGood, `${line}\n`]);
  }
  await hop.idle();
  const verbs = hop.lines().map((each) => each.split(" ")[0] ?? "");
  assertEquals([...new Set(verbs)].sort(), ["AUTH", "EHLO", "QUIT"]);
});

function login(password: string): Record<string, string> {
  return {
    MEOWMAIL_SMTP_RELAY_USER: "relay",
    MEOWMAIL_SMTP_RELAY_PASS: password,
  };
}

Deno.test("check() gives up an endpoint that says nothing after --auth-timeout", async () => {
  using cleanUp = new DisposableStack();
  const { args } = maildirIn(temporaryFolder(cleanUp));
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  cleanUp.defer(() => silent.close());
  const { port } = silent.addr;
  const url = `https://127.0.0.1:${port}/`;
  const { lines } = await checked([
    ...[...args, "--auth-url", url, "--auth-timeout", "50"],
  ], {});
  assertEquals(
    lines[0],
    `error --auth-url 127.0.0.1:${port}: timeout: is something in the way, or the time limit too short?\n`,
  );
});

Deno.test("check() waits for Dovecot's first line", async () => {
  using cleanUp = new DisposableStack();
  const { args, line } = maildirIn(temporaryFolder(cleanUp));
  const greetings = ["VERSION\t1\t2\nMECH\tPLAIN\n", "* OK IMAP\n"];
  await using dovecot = newFakeDovecot(async ({ say, line }, number) => {
    await say(greetings[number - 1] ?? "");
    await line();
  });
  const at = `127.0.0.1:${dovecot.port}`;
  const say = async () => {
    const { good, lines } = await checked([
      ...[...args, "--auth-dovecot", at],
    ], {});
    assertEquals(lines.pop(), line);
    return [good, ...lines];
  };
  assertEquals(await say(), [true, `ok    Dovecot ${at}: reached\n`]);
  assertEquals(await say(), [
    false,
    `error Dovecot ${at}: it speaks another protocol: is it the socket auth-client?\n`,
  ]);
});

Deno.test("main.ts --check prints a line each and exits with 0 or 1, and with 2 where settings make no sense", async () => {
  using cleanUp = new DisposableStack();
  const cwd = temporaryFolder(cleanUp);
  const good = await runCommand({ args: ["--check"], cwd });
  assertEquals([good.code, good.stderr], [0, ""]);
  assertEquals(good.stdout.split("\n").length, 3);
  Deno.writeTextFileSync(`${cwd}/maildir`, "");
  const bad = await runCommand({ args: ["--check"], env: LOCAL, cwd });
  assertEquals([bad.code, bad.stdout, bad.stderr], [
    1,
    "error maildir ./maildir: Not a directory: a file stands where a folder must be\n",
    "",
  ]);
  const none = await runCommand({ args: ["--check", "--port", "x"], cwd });
  assertEquals([none.code, none.stdout], [2, ""]);
});
