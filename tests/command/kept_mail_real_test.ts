import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import {
  PASSWORD,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import {
  filesIn,
  messagesIn,
  onlyMessageIn,
  withoutTrace,
} from "../support/maildir.ts";
import { latin1 } from "../support/session.ts";
import { SmtpClient } from "../../testing/client.ts";
import { assertNothingKept, loggedIn } from "../support/listener_session.ts";

Deno.test("main.ts keeps the client's octets as they are behind the lines of its own", async () => {
  await using listener = await startListener({
    args: ["--hostname", "mail.example.org"],
  });
  using client = await loggedIn(listener.port);
  await client.envelope("ann+x@example.org", [
    "bob@example.net",
    '"o. d\'d"@example.net',
    "bob@example.net",
  ]);
  const allOctets = Array.from({ length: 256 }, (_, octet) => octet)
    .filter((octet) => octet !== 10 && octet !== 13)
    .map((octet) => String.fromCharCode(octet))
    .join("");
  const body = [
    "Return-Path: <the client's own>",
    "Subject: all octets",
    "",
    allOctets,
    ".",
    "..",
    ".x",
    "x.",
    "",
    "x".repeat(100_000),
    "",
    "",
  ].join("\r\n");
  const stuffed = body.replaceAll(/^\./gm, "..");
  await client.sendRaw(latin1(`${stuffed}.\r\n`));
  const { lines: [said = ""] } = await client.expect("250 2.0.0");

  const message = onlyMessageIn(listener.maildir);
  const head = message.slice(0, message.length - body.length);
  assertEquals(message.slice(head.length), body);
  const [, id = "?"] = /^Queued as (\S+)$/.exec(said) ?? [];
  const [date = ""] = /[A-Z][a-z]{2}, .* \+0000(?=\r\n$)/.exec(head) ?? [];
  assertEquals(
    head,
    "Return-Path: <ann+x@example.org>\r\n" +
      "X-Original-To: bob@example.net\r\n" +
      'X-Original-To: "o. d\'d"@example.net\r\n' +
      "X-Original-To: bob@example.net\r\n" +
      `X-Original-User: ${USER}\r\n` +
      "Received: from client.example.net ([127.0.0.1])\r\n" +
      `\tby mail.example.org with ESMTPA id ${id};\r\n` +
      `\t${date}\r\n`,
  );
  assert(Math.abs(Date.now() - Date.parse(date)) < 60_000, date);

  const [file = ""] = filesIn(listener.maildir, "new");
  assertMatch(file, /^[0-9]+\.[^/:]+\.mail\.example\.org$/);
  const { mode } = Deno.statSync(`${listener.maildir}/new/${file}`);
  assertEquals((mode ?? 0) & 0o077, 0, "nobody else may read it");
  assertEquals(filesIn(listener.maildir, "tmp"), []);
});

/** How a client comes, and the protocol word for it: RFC 3848, RFC 6531. */
const WORDS = [
  ["HELO", false, false, "", "SMTP"],
  ["EHLO", false, false, "", "ESMTP"],
  ["EHLO", false, true, "", "ESMTPA"],
  ["EHLO", true, false, "", "ESMTPS"],
  ["EHLO", true, true, "", "ESMTPSA"],
  ["EHLO", false, false, " SMTPUTF8", "UTF8SMTP"],
  ["EHLO", false, true, " SMTPUTF8", "UTF8SMTPA"],
  ["EHLO", true, false, " SMTPUTF8", "UTF8SMTPS"],
  ["EHLO", true, true, " SMTPUTF8", "UTF8SMTPSA"],
] as const;

Deno.test("main.ts writes the right protocol word into Received, and UTF-8 addresses as they are", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({
    certificate,
    args: ["--no-require-auth", "--allow-insecure-auth"],
  });
  for (const [verb, tls, auth, utf8, word] of WORDS) {
    using client = await SmtpClient.open(
      tls ? listener.tlsPort : listener.port,
      tls ? { trusted: certificate.cert } : {},
    );
    await client.expect("220");
    await client.command(`${verb} client.example.net`, "250");
    if (auth) await client.login(USER, PASSWORD);
    const sender = utf8 ? "änn@exämple.org" : "";
    await client.envelope(sender, [`${word}@example.net`], utf8);
    await client.send(word, ".");
    await client.expect("250");
  }
  const messages = messagesIn(listener.maildir);
  assertEquals(messages.length, WORDS.length);
  for (const [, , , utf8, word] of WORDS) {
    const message = messages.find((message) =>
      message.endsWith(`\r\n${word}\r\n`)
    );
    const [received = ""] = /^Received: .*\r\n(?:\t.*\r\n)*/m.exec(
      message ?? "",
    ) ?? [];
    assert(received.includes(` with ${word} id `), `${word}: ${received}`);
    assert(!received.includes("@"), "no address in Received");
    const sender = utf8 ? "\xc3\xa4nn@ex\xc3\xa4mple.org" : "";
    assert(message?.startsWith(`Return-Path: <${sender}>\r\n`), word);
  }
});

Deno.test("main.ts lets no EHLO name write a header of its own", async () => {
  await using listener = await startListener();
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  await client.command("EHLO a) (b; X: y ü <c@d>", "250");
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("x", ".");
  await client.expect("250");
  assertMatch(
    onlyMessageIn(listener.maildir),
    /\r\nReceived: from [A-Za-z0-9._:[\]?-]+ \(\[127\.0\.0\.1\]\)\r\n/,
  );
});

Deno.test("main.ts keeps an empty message", async () => {
  await using listener = await startListener();
  using client = await loggedIn(listener.port);
  await client.envelope();
  await client.send(".");
  await client.expect("250 2.0.0");
  assertEquals(withoutTrace(onlyMessageIn(listener.maildir)), "");
});

Deno.test("main.ts refuses a message with a bare CR or LF at its real end and keeps nothing of it", async () => {
  await using listener = await startListener();
  using client = await loggedIn(listener.port);
  const bodies = [
    "a\nb\r\n",
    "a\rb\r\n",
    "a\n.\nMAIL FROM:<smuggled@example.org>\r\n",
    "a\r.\rb\r\n",
    "a\n.\r\nb\r\n",
    `${"x".repeat(200_000)}\r\n\n\r\n`,
  ];
  for (const body of bodies) {
    await client.envelope();
    await client.sendRaw(`${body}.\r\n`);
    await client.expect("554 5.6.0");
  }
  await client.command("NOOP", "250");
  assertNothingKept(listener);
});

Deno.test("main.ts removes what is older than 36 hours from tmp/ when it starts, and nothing else", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const maildir = `${temporaryFolder(cleanUp)}/maildir`;
  const hours = (count: number) => new Date(Date.now() - count * 3_600_000);
  for (const folder of ["tmp", "new", "cur"]) {
    Deno.mkdirSync(`${maildir}/${folder}`, { recursive: true });
    for (const age of [0, 35, 37, 1000]) {
      const path = `${maildir}/${folder}/${age}`;
      Deno.writeTextFileSync(path, "");
      Deno.utimeSync(path, hours(age), hours(age));
    }
  }
  Deno.mkdirSync(`${maildir}/tmp/folder`);
  Deno.utimeSync(`${maildir}/tmp/folder`, hours(37), hours(37));
  await using _listener = await startListener({ maildir });
  assertEquals(filesIn(maildir, "tmp"), ["0", "35", "folder"]);
  assertEquals(filesIn(maildir, "new"), ["0", "1000", "35", "37"]);
  assertEquals(filesIn(maildir, "cur"), ["0", "1000", "35", "37"]);
});
