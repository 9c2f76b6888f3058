import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { eventually } from "../support/eventually.ts";
import { PASSWORD, temporaryFolder, USER } from "../support/listener.ts";
import { onlyMessageIn } from "../support/maildir.ts";
import { base64 } from "../support/octets.ts";
import { holdRefusedPort } from "../support/raw_end.ts";
import { serveHop } from "../support/scripted_hop.ts";
import { LOCAL, startServing } from "../support/served.ts";
import { SmtpClient } from "../../testing/client.ts";
import { newTestCertificate } from "../support/tls_certificate.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("serve() runs a listener that keeps mail and says where it listens", async () => {
  using cleanUp = new DisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  await using served = await startServing(["--maildir", maildir]);
  const { port, messages, printed } = served;
  assertEquals(messages(), [`listening on 127.0.0.1:${port}`]);
  assertEquals(printed(), "");
  using client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("Subject: x", "", "kept", ".", "QUIT");
  await client.expect("250", "221");
  await client.expectEnd();
  assertMatch(onlyMessageIn(maildir), /kept/);
});

Deno.test("serve() runs adapters alone with --port off, and makes no maildir", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const { serving, settings, messages } = await startServing([
    ...["--port", "off", "--maildir", `${folder}/maildir`],
    ...["--dovecot-socket", `${folder}/auth`],
  ]);
  assertEquals(serving.addrs, []);
  assertEquals(messages(), [`listening on ${folder}/auth for Dovecot auth`]);
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["auth"]);
  serving.reload(settings);
  await serving.shutdown();
  assertEquals([...Deno.readDirSync(folder)], []);
});

Deno.test("serve() makes up a login where there is none, and prints it with a line to paste", async () => {
  using cleanUp = new DisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  await using served = await startServing(["--maildir", maildir], {});
  const { port, printed } = served;
  const [, username = ""] = /^user: (.+)$/m.exec(printed()) ?? [];
  const [, password = ""] = /^password: (.+)$/m.exec(printed()) ?? [];
  assertMatch(printed(), /^curl smtp:/m);
  using client = await SmtpClient.greeted(port);
  await client.login(username, password);
  await client.command("QUIT", "221");
  await client.expectEnd();
});

Deno.test("serve() leaves nothing open if an adapter can't be opened", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const error = await assertRejects(
    () =>
      startServing([
        ...["--maildir", `${folder}/maildir`],
        ...["--dovecot-socket", `${folder}/auth`],
        ...["--saslauthd-socket", `${folder}/missing/mux`],
      ]),
    Error,
  );
  assertEquals(
    error.message,
    `cannot open --saslauthd-socket ${folder}/missing/mux: No such file or directory`,
  );
  assertEquals(
    [...Deno.readDirSync(folder)].map(({ name }) => name),
    ["maildir"],
  );
});

Deno.test("serve() asks a local user's password first, and the endpoint about everybody else", async () => {
  using cleanUp = new DisposableStack();
  const asked: string[] = [];
  await using end = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { username } = await request.json();
      asked.push(username);
      return Response.json({ ok: username === "bob" });
    },
  );
  await using served = await startServing([
    ...["--maildir", `${temporaryFolder(cleanUp)}/maildir`],
    ...["--auth-url", `http://127.0.0.1:${end.addr.port}/`],
    ...["--auth-timeout", "20000"],
  ]);
  const { port } = served;
  for (
    const [username, status] of [
      [USER, "235"],
      ["bob", "235"],
      ["eve", "535"],
    ] as const
  ) {
    using client = await SmtpClient.greeted(port);
    await client.login(username, PASSWORD, status);
    await client.command("QUIT", "221");
    await client.expectEnd();
  }
  assertEquals(asked, ["bob", "eve"]);
});

Deno.test("serve() refuses to start with a users file that it can't use, and says why", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const users = `${folder}/users`;
  const reasonFor = async () => {
    const maildir = ["--maildir", `${folder}/maildir`];
    const error = await assertRejects(
      () => startServing([...maildir, "--users", users], {}),
      Error,
    );
    return error.message.replace(`cannot use --users ${users}: `, "");
  };
  assertEquals(await reasonFor(), "No such file or directory");
  for (
    const [content, reason] of [
      ["", "there is no user: a line must be name:hash or name:hash:senders"],
      [
        "# users\nann:$y$secret\n",
        "line 2: yescrypt ($y$) cannot be checked here: make a new hash with --hash-password",
      ],
      [Uint8Array.of(0x61, 0xff), "it is not UTF-8"],
    ] as const
  ) {
    Deno.writeFileSync(
      users,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    assertEquals(await reasonFor(), reason);
  }
});

Deno.test("serve() loses no login while 500 log in and the users file is replaced 50 times", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  const users = `${folder}/users`;
  // ann's password stays, its hash and the other users are others each time.
  const replace = (round: number) => {
    const hash = round % 2 === 0
      ? "$apr1$a$ij/Aka61dStEs8vTEvpfK1"
      : "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$+mWg7mpD2vPhffa1AWlDXg";
    const others = `user${round}:{PLAIN}${round}\n`;
    Deno.writeTextFileSync(`${users}.new`, `${others}ann:${hash}\n`);
    Deno.renameSync(`${users}.new`, users);
  };
  replace(0);
  await using served = await startServing([
    ...["--maildir", `${folder}/maildir`, "--users", users],
  ], {});
  const { serving, settings, port, messages } = served;
  const logIn = async () => {
    using client = await SmtpClient.greeted(port);
    await client.login("ann", "pw");
    await client.command("QUIT", "221");
    await client.expectEnd();
  };
  for (let round = 1; round <= 50; round++) {
    const logins = Array.from({ length: 10 }, logIn);
    await logins[0];
    replace(round);
    serving.reload(settings);
    await Promise.all(logins);
    await eventually(`the file of round ${round} is in use`, () => {
      const taken = messages().filter((each) => each === "new users in use");
      return taken.length === round;
    });
  }
});

Deno.test("serve() hands mail on to a next hop, with the password of the moment", async () => {
  await using hop = serveHop({ extensions: ["AUTH PLAIN"] });
  const served = await startServing([
    ...["--relay", `smtp://127.0.0.1:${hop.port}`, "--hostname", "a.example"],
  ], {
    ...LOCAL,
    MEOWMAIL_SMTP_RELAY_USER: "relay",
    MEOWMAIL_SMTP_RELAY_PASS: "one",
  });
  const { serving, settings, port, messages } = served;
  {
    await using _ = served;
    using client = await SmtpClient.greeted(port);
    await client.login(USER, PASSWORD);
    for (const password of ["one", "two"]) {
      serving.reload({ ...settings, relayPass: password });
      await client.envelope();
      await client.send("Subject: x", "", "..text", ".");
      const { lines } = await client.expect("250 2.0.0");
      assertEquals(lines, ["taken"]);
      hop.drop();
      await hop.idle();
    }
  }
  const logins = ["one", "two"].map((password) =>
    `AUTH PLAIN ${base64(`\0relay\0${password}`)}`
  );
  assertEquals(hop.lines().filter((line) => line.startsWith("AUTH")), logins);
  assertEquals(hop.lines()[0], "EHLO a.example");
  assertMatch(
    hop.messages()[1] ?? "",
    /^Received: from [^]*\tby a\.example with ESMTPA [^]*\r\nSubject: x\r\n\r\n\.\.text\r\n$/,
  );
  assert(!messages().join().includes("next hop"));
});

Deno.test("serve() tells the log what is wrong with the next hop, and the client 451", async () => {
  using refused = await holdRefusedPort();
  await using served = await startServing(
    ["--relay", `smtp://${refused.host}`],
  );
  const { port, messages } = served;
  using client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD);
  await client.command(`MAIL FROM:<${USER}>`, "451 4.4.1");
  assertEquals(
    messages().filter((message) => message.startsWith("next hop")),
    [`next hop ${refused.host}: relay-unreachable: refused`],
  );
});

Deno.test("serve() says which --relay-ca is of no use", async () => {
  using cleanUp = new DisposableStack();
  const file = `${temporaryFolder(cleanUp)}/ca.pem`;
  const args = ["--relay", "smtps://a.example", "--relay-ca", file];
  await assertRejects(
    () => startServing(args),
    Error,
    `cannot use --relay-ca ${file}: No such file or directory`,
  );
  Deno.writeTextFileSync(file, "nothing");
  await assertRejects(
    () => startServing(args),
    Error,
    `cannot use --relay-ca ${file}: there is no certificate in it`,
  );
});

Deno.test("serve() hands mail to an endpoint, with the token of the moment", async () => {
  const seen: string[] = [];
  await using end = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const form = await request.formData();
      const { user } = JSON.parse(String(form.get("envelope")));
      seen.push(`${request.headers.get("authorization")} ${user}`);
      return Response.json({ id: `m-${seen.length}` });
    },
  );
  await using served = await startServing([
    ...["--deliver-url", `http://127.0.0.1:${end.addr.port}/`],
  ], { ...LOCAL, MEOWMAIL_SMTP_DELIVER_TOKEN: "t1" });
  const { serving, settings, port } = served;
  using client = await SmtpClient.greeted(port);
  await client.login(USER, PASSWORD);
  for (const name of ["m-1", "m-2"]) {
    await client.envelope();
    await client.send("Subject: x", "", "text", ".");
    const { lines } = await client.expect("250");
    assertEquals(lines, [`Accepted as ${name}`]);
    serving.reload({ ...settings, deliverToken: "t2" });
  }
  assertEquals(seen, [`Bearer t1 ${USER}`, `Bearer t2 ${USER}`]);
});

/** Files that a start finds in its folder. */
async function writeFiles(folder: string): Promise<void> {
  const [good, other] = [await testCertificate(), await newTestCertificate()];
  const encrypted = good.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE");
  const files = {
    "cert.pem": good.cert,
    "key.pem": good.key,
    "both.pem": good.cert + good.key,
    "other.pem": other.key,
    "encrypted.pem": encrypted,
    "old.pem":
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n",
    "text.pem": "not PEM\n",
    "broken.pem": good.cert.replace("MII", "MIM"),
    "file": "",
  };
  for (const [name, content] of Object.entries(files)) {
    Deno.writeTextFileSync(`${folder}/${name}`, content);
  }
  Deno.mkdirSync(`${folder}/folder.pem`);
  Deno.mkdirSync(`${folder}/half`);
  Deno.writeTextFileSync(`${folder}/half/tmp`, "");
}

/** Certificate, key, and what is wrong with them; `F` stands for the folder. */
const BAD_PAIRS = [
  [
    "missing.pem",
    "key.pem",
    "cannot read --tls-cert F/missing.pem: No such file or directory",
  ],
  [
    "cert.pem",
    "missing.pem",
    "cannot read --tls-key F/missing.pem: No such file or directory",
  ],
  [
    "folder.pem",
    "key.pem",
    "cannot read --tls-cert F/folder.pem: Is a directory",
  ],
  [
    "text.pem",
    "key.pem",
    "cannot use --tls-cert F/text.pem: there is no certificate in PEM in it",
  ],
  [
    "cert.pem",
    "text.pem",
    "cannot use --tls-key F/text.pem: there is no private key in PEM in it",
  ],
  [
    "key.pem",
    "cert.pem",
    "cannot use --tls-cert F/key.pem: there is no certificate in PEM in it, but a private key: is it that for --tls-key?",
  ],
  [
    "cert.pem",
    "cert.pem",
    "cannot use --tls-key F/cert.pem: there is no private key in PEM in it, but a certificate: is it that for --tls-cert?",
  ],
  [
    "cert.pem",
    "encrypted.pem",
    "cannot use --tls-key F/encrypted.pem: it is encrypted, and nobody is there to type the passphrase",
  ],
  [
    "cert.pem",
    "old.pem",
    "cannot use --tls-key F/old.pem: it is encrypted, and nobody is there to type the passphrase",
  ],
  [
    "cert.pem",
    "other.pem",
    "cannot use --tls-cert F/cert.pem with --tls-key F/other.pem: the key is not that of the certificate",
  ],
] as const;

Deno.test("serve() names flag, file and reason of a certificate that is not good (issue 11)", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  await writeFiles(folder);
  const failure = (cert: string, key: string) =>
    assertRejects(() =>
      startServing([
        ...["--maildir", `${folder}/maildir`],
        ...["--tls-cert", `${folder}/${cert}`],
        ...["--tls-key", `${folder}/${key}`],
      ]), Error);
  for (const [cert, key, expected] of BAD_PAIRS) {
    const { message } = await failure(cert, key);
    assertEquals(message.replaceAll(folder, "F"), expected);
  }
  const { message } = await failure("broken.pem", "key.pem");
  assertMatch(
    message,
    /^cannot use --tls-cert \S+ with --tls-key \S+: [^\n]+$/,
  );
});

Deno.test("serve() takes one file with certificate and key for both", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  await writeFiles(folder);
  const both = `${folder}/both.pem`;
  await using served = await startServing([
    ...["--maildir", `${folder}/maildir`],
    ...["--tls-cert", both, "--tls-key", both],
  ]);
  const { port } = served;
  using client = await SmtpClient.greeted(port);
  await client.startTls((await testCertificate()).cert);
  await client.command("QUIT", "221");
  await client.expectEnd();
});

Deno.test("serve() names flag and place of a port or folder that can't be had", async () => {
  using cleanUp = new DisposableStack();
  const folder = temporaryFolder(cleanUp);
  await writeFiles(folder);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(taken.addr.port);
  const maildir = ["--maildir", `${folder}/maildir`];
  const tls = [
    ...["--tls-cert", `${folder}/cert.pem`],
    ...["--tls-key", `${folder}/key.pem`],
  ];
  const rows: readonly (readonly [readonly string[], string])[] = [
    [
      [...maildir, "--port", port],
      `cannot listen on --port 127.0.0.1:${port}: Address already in use`,
    ],
    [
      [...maildir, ...tls, "--tls-port", port],
      `cannot listen on --tls-port 127.0.0.1:${port}: Address already in use`,
    ],
    [
      [...maildir, "--host", "192.0.2.1"],
      "cannot listen on --host 192.0.2.1: Cannot assign requested address",
    ],
    [
      ["--maildir", `${folder}/file`],
      "cannot use --maildir F/file: Not a directory",
    ],
    [
      ["--maildir", `${folder}/file/maildir`],
      "cannot use --maildir F/file/maildir: Not a directory",
    ],
    [
      ["--maildir", `${folder}/half`],
      "cannot use --maildir F/half: File exists",
    ],
    [
      [...maildir, "--nginx-port", port, "--nginx-upstream", "127.0.0.1:25"],
      `cannot open --nginx-port 127.0.0.1:${port}: Address already in use`,
    ],
    [
      [...maildir, "--dovecot-socket", `${folder}/missing/auth`],
      "cannot open --dovecot-socket F/missing/auth: No such file or directory",
    ],
  ];
  for (const [args, expected] of rows) {
    const { message } = await assertRejects(() => startServing(args), Error);
    assertEquals(message.replaceAll(folder, "F"), expected);
  }
});
