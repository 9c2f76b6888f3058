import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { eventually } from "../support/eventually.ts";
import { type SeenRequest, serveHttp } from "../support/http_end.ts";
import {
  type Listener,
  type LogLine,
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
import { base64 } from "../support/octets.ts";
import { holdRefusedPort, serveRaw } from "../support/raw_end.ts";
import { latin1 } from "../support/session.ts";
import {
  type ConnectOptions,
  plain,
  SmtpClient,
} from "../../testing/client.ts";
import { openTlsClient } from "../support/tls_client.ts";

/** Longer than any test may take, in milliseconds. */
const FOREVER = "60000";

/** A client that has logged in. */
async function loggedIn(
  port: number,
  options?: ConnectOptions,
): Promise<SmtpClient> {
  const client = await SmtpClient.greeted(port, options);
  await client.login(USER, PASSWORD);
  return client;
}

/** The log lines of a kind, once there are so many. */
function events(
  listener: Listener,
  kind: string,
  count = 1,
): Promise<LogLine[]> {
  return eventually(`${count} log lines about ${kind}`, () => {
    const lines = listener.stderr().endsWith("\n")
      ? listener.log().filter(({ event }) => event === kind)
      : [];
    return lines.length >= count && lines;
  });
}

/** Neither in `new/` nor in `tmp/` there is anything. */
function assertNothingKept({ maildir }: Listener): void {
  assertEquals(filesIn(maildir, "new"), []);
  assertEquals(filesIn(maildir, "tmp"), []);
}

// --- The endpoint decides.

/** User name, what the endpoint answers, reply, reason in the log. */
const ANSWERS: readonly (readonly [
  string,
  () => Response,
  string,
  string,
])[] = [
  ["ok", () => Response.json({ ok: true, quota: 7 }), "235 2.7.0", "ok"],
  [
    "no",
    () => Response.json({ ok: false }),
    "535 5.7.8",
    "wrong-credentials",
  ],
  ["401", () => new Response("", { status: 401 }), "535 5.7.8", "wrong-"],
  ["403", () => new Response("", { status: 403 }), "535 5.7.8", "wrong-"],
  ["500", () => new Response("", { status: 500 }), "454 4.7.0", "backend-st"],
  ["404", () => new Response("", { status: 404 }), "454 4.7.0", "backend-st"],
  [
    "moved",
    () => Response.redirect("http://127.0.0.1:9/", 307),
    "454 4.7.0",
    "backend-redirect",
  ],
  ["garbage", () => new Response("<html>"), "454 4.7.0", "backend-answer"],
  ["no ok", () => Response.json({}), "454 4.7.0", "backend-answer"],
  ["text", () => Response.json({ ok: "true" }), "454 4.7.0", "backend-answer"],
];

function userOf(request: SeenRequest): string {
  const body: unknown = JSON.parse(request.body);
  return typeof body === "object" && body !== null && "username" in body
    ? String(body.username)
    : "";
}

Deno.test("main.ts turns what the endpoint answers into 235, 535 and 454, and logs why", async () => {
  const answers = new Map(ANSWERS.map(([user, answer]) => [user, answer]));
  await using end = serveHttp((request) =>
    answers.get(userOf(request))?.() ?? new Response("", { status: 400 })
  );
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", FOREVER],
  });
  for (const [user, , status] of ANSWERS) {
    using client = await SmtpClient.greeted(listener.port);
    await client.login(user, "secret", status);
    await client.command("QUIT", "221");
  }
  const log = await events(listener, "auth", ANSWERS.length);
  for (const [i, [user, , status, reason]] of ANSWERS.entries()) {
    assertEquals(log[i]?.username, user);
    assertEquals(String(log[i]?.code), status.slice(0, 3));
    assert(String(log[i]?.reason).startsWith(reason), user);
  }
});

Deno.test("main.ts tells the endpoint exactly five things", async () => {
  await using end = serveHttp(() => Response.json({ ok: true }));
  await using listener = await startListener({ authUrl: end.url });
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  await client.command("EHLO [192.0.2.9]", "250");
  await client.send("auth login", base64("änn"), base64("päß word"));
  await client.expect("334", "334", "235");
  const [request] = end.requests;
  assertEquals(request?.method, "POST");
  assertEquals(request?.headers.get("content-type"), "application/json");
  assertEquals<unknown>(JSON.parse(request?.body ?? ""), {
    username: "änn",
    password: "päß word",
    mechanism: "LOGIN",
    remoteIp: "127.0.0.1",
    heloName: "[192.0.2.9]",
  });
});

Deno.test("main.ts answers 454 when the endpoint hangs, and the client may go on", async () => {
  const { promise: never, resolve: release } = Promise.withResolvers<void>();
  await using end = serveHttp(async () => {
    await never;
    return new Response();
  });
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", "50"],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login("ann", "secret", "454 4.7.0");
  await client.command("NOOP", "250");
  release();
  const [line] = await events(listener, "auth");
  assertEquals(line?.reason, "backend-timeout");
  assert(Number(line?.milliseconds) >= 49);
});

Deno.test("main.ts answers 454 when nobody listens at the endpoint", async () => {
  using nobody = await holdRefusedPort();
  await using listener = await startListener({
    authUrl: `http://${nobody.host}/`,
    args: ["--auth-timeout", FOREVER],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login("ann", "secret", "454 4.7.0");
  const [line] = await events(listener, "auth");
  assertEquals(line?.reason, "backend-unreachable");
});

// --- TLS.

Deno.test("main.ts with a certificate neither offers nor takes AUTH in plain text", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  const { lines } = await client.command("EHLO client.example.net", "250");
  assert(lines.includes("STARTTLS"));
  assert(!lines.some((line) => line.startsWith("AUTH")));
  await client.login(USER, PASSWORD, "538 5.7.11");
  await client.command("AUTH LOGIN", "538 5.7.11");
  await client.command("MAIL FROM:<>", "530 5.7.0");
  await client.startTls(certificate.cert);
  await client.command("MAIL FROM:<>", "530 5.7.0");
  const greeting = await client.command("EHLO client.example.net", "250");
  assert(!greeting.lines.includes("STARTTLS"));
  assert(greeting.lines.includes("AUTH PLAIN LOGIN"));
  await client.login(USER, PASSWORD);
});

for (const version of ["TLS 1.2", "TLS 1.3"] as const) {
  for (const starttls of [true, false]) {
    const way = starttls ? "STARTTLS" : "implicit TLS";
    Deno.test(`main.ts takes a message over ${way} with ${version}`, async () => {
      const certificate = await testCertificate();
      await using listener = await startListener({ certificate });
      await using tls = openTlsClient({
        port: starttls ? listener.port : listener.tlsPort,
        starttls,
        version,
        trusted: certificate.cert,
      });
      using client = new SmtpClient(tls);
      if (!starttls) await client.expect("220");
      await client.command("EHLO client.example.net", "250");
      await client.login(USER, PASSWORD);
      await client.envelope();
      const body = `${"x".repeat(70)}\r\n`.repeat(2000);
      await client.sendRaw(`${body}.\r\nQUIT\r\n`);
      await client.expect("250 2.0.0", "221");
      await client.expectEnd();
      const message = onlyMessageIn(listener.maildir);
      assertEquals(withoutTrace(message), body);
      assertMatch(message, / with ESMTPSA /);
    });
  }
}

Deno.test("main.ts throws away what comes in plain text behind STARTTLS", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  using client = await SmtpClient.greeted(listener.port);
  await client.send(
    "STARTTLS",
    "EHLO attacker.example.net",
    `AUTH PLAIN ${plain(USER, PASSWORD)}`,
    "MAIL FROM:<attacker@example.net>",
  );
  await client.expect("220 2.0.0");
  await client.beginTls(certificate.cert);
  await client.send("NOOP", `AUTH PLAIN ${plain(USER, PASSWORD)}`, "QUIT");
  await client.expect("250 2.0.0", "503 5.5.1", "221");
  await client.expectEnd();
});

Deno.test("main.ts closes on what is no ClientHello, and serves the next client", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  const garbage = "EHLO client.example.net\r\n".repeat(3);
  {
    using client = await SmtpClient.greeted(listener.port);
    await client.command("STARTTLS", "220 2.0.0");
    await client.sendRaw(garbage);
    await client.rest();
  }
  {
    using client = await SmtpClient.open(listener.tlsPort);
    await client.sendRaw(garbage);
    await client.rest();
  }
  const log = await events(listener, "closed", 2);
  assertEquals(log.map(({ reason }) => reason), ["tls-failed", "tls-failed"]);
  const trusted = certificate.cert;
  (await loggedIn(listener.tlsPort, { trusted })).close();
  using client = await SmtpClient.greeted(listener.port);
  await client.startTls(trusted);
});

Deno.test("main.ts answers a close_notify with its own, as RFC 8446 section 6.1 wants", async () => {
  const certificate = await testCertificate();
  const trusted = certificate.cert;
  await using listener = await startListener({ certificate });
  using implicit = await SmtpClient.greeted(listener.tlsPort, { trusted });
  using upgraded = await SmtpClient.greeted(listener.port);
  await upgraded.startTls(trusted);
  for (const client of [upgraded, implicit]) {
    await client.closeWrite();
    // Deno's client throws if the end is not announced.
    await client.expectEnd();
  }
});

// --- Limits.

Deno.test("main.ts --max-connections refuses one more with 421 4.3.2 until one leaves, on both ports", async () => {
  const certificate = await testCertificate();
  const trusted = certificate.cert;
  await using listener = await startListener({
    certificate,
    args: ["--max-connections", "2"],
  });
  using one = await SmtpClient.greeted(listener.port);
  using two = await SmtpClient.greeted(listener.tlsPort, { trusted });
  using three = await SmtpClient.open(listener.port);
  await three.expect("421 4.3.2");
  await three.expectEnd();
  using four = await SmtpClient.open(listener.tlsPort, { trusted });
  await four.expect("421 4.3.2");
  await four.expectEnd();
  await two.command("NOOP", "250");

  await one.command("QUIT", "221");
  await one.expectEnd();
  one.close();
  const five = await eventually("there is room for a new client", async () => {
    const client = await SmtpClient.open(listener.port);
    if ((await client.reply()).status === "220") return client;
    client.close();
    return undefined;
  });
  five.close();
});

Deno.test("main.ts --idle-timeout tells a silent client 421 4.4.2 and closes", async () => {
  await using listener = await startListener({
    args: ["--idle-timeout", "200"],
  });
  using client = await SmtpClient.open(listener.port);
  await client.expect("220", "421 4.4.2");
  await client.expectEnd();
  const [line] = await events(listener, "closed");
  assertEquals(line?.reason, "idle");
});

Deno.test("main.ts --idle-timeout cuts off a client that sends a message octet by octet", async () => {
  await using listener = await startListener({
    args: ["--idle-timeout", "300"],
    env: { MEOWMAIL_SMTP_REQUIRE_AUTH: "off" },
  });
  using client = await SmtpClient.open(listener.port);
  await client.sendRaw(
    "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
  );
  await client.expect("220", "250", "250", "250", "354");
  const trickle = setInterval(() => {
    client.sendRaw("x").catch(() => clearInterval(trickle));
  }, 15);
  try {
    await client.expect("421 4.4.2");
  } finally {
    clearInterval(trickle);
  }
  client.close();
  await events(listener, "message");
  assertNothingKept(listener);
});

Deno.test("main.ts --idle-timeout leaves a client alone whose message takes longer but comes", async () => {
  await using listener = await startListener({
    args: ["--idle-timeout", "1000"],
    env: { MEOWMAIL_SMTP_REQUIRE_AUTH: "off" },
  });
  using client = await SmtpClient.open(listener.port);
  await client.sendRaw(
    "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n",
  );
  await client.expect("220", "250", "250", "250", "354");
  const piece = `${"x".repeat(98)}\r\n`.repeat(20);
  for (let sent = 0; sent < 15; sent++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.sendRaw(piece);
  }
  await client.send(".");
  await client.expect("250 2.0.0");
});

Deno.test("main.ts --idle-timeout does not run while the endpoint is asked", async () => {
  await using end = serveHttp(async () => {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    return Response.json({ ok: true });
  });
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--idle-timeout", "700", "--auth-timeout", FOREVER],
  });
  using client = await SmtpClient.open(listener.port);
  await client.send("EHLO a", `AUTH PLAIN ${plain("ann", "secret")}`);
  await client.expect("220", "250", "235");
});

Deno.test("main.ts --max-size refuses a message by its SIZE and by its content, and keeps nothing of it", async () => {
  await using listener = await startListener({ args: ["--max-size", "1000"] });
  using client = await loggedIn(listener.port);
  await client.command("MAIL FROM:<a@example.org> SIZE=1001", "552 5.3.4");
  const tooLarge = `${"x".repeat(98)}\r\n`.repeat(10) + ".."; // 1004 with CRLF
  await client.envelope();
  await client.send(tooLarge, ".");
  await client.expect("552 5.3.4");
  assertNothingKept(listener);
  await client.envelope();
  await client.sendRaw(`${"x".repeat(1_000_000)}\r\n.\r\nNOOP\r\n`);
  await client.expect("552 5.3.4", "250 2.0.0");
  assertNothingKept(listener);
});

Deno.test("main.ts --max-size counts the client's octets, and neither its own lines nor doubled dots", async () => {
  await using listener = await startListener({ args: ["--max-size", "1000"] });
  using client = await loggedIn(listener.port);
  const line = `.${"x".repeat(97)}\r\n`;
  await client.envelope("a@example.org", ["b@example.net"], " SIZE=1000");
  await client.sendRaw(`${`.${line}`.repeat(10)}.\r\n`);
  await client.expect("250 2.0.0");
  assertEquals(withoutTrace(onlyMessageIn(listener.maildir)), line.repeat(10));
});

// --- The end of the listener.

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`main.ts on ${signal} sends idle clients away, lets transactions finish and exits with 0`, async () => {
    await using listener = await startListener();
    using idle = await SmtpClient.greeted(listener.port);
    using inSasl = await SmtpClient.greeted(listener.port);
    await inSasl.command("AUTH LOGIN", "334");
    using inMail = await loggedIn(listener.port);
    await inMail.command("MAIL FROM:<a@example.org>", "250");
    using inData = await loggedIn(listener.port);
    await inData.envelope();
    await inData.send("the first half");

    listener.signal(signal);
    await listener.logged(new RegExp(`stopping on ${signal}`));
    await idle.expect("421 4.3.2");
    await idle.expectEnd();
    await inSasl.expect("421 4.3.2");
    await inSasl.expectEnd();
    await eventually("new clients are refused", async () => {
      try {
        (await SmtpClient.open(listener.port)).close();
      } catch (error) {
        return error instanceof Deno.errors.ConnectionRefused;
      }
    });
    await inMail.send("RCPT TO:<b@example.net>", "DATA", "one", ".");
    await inMail.expect("250", "354", "250 2.0.0", "421 4.3.2");
    await inMail.expectEnd();
    await inData.send("the second half", ".");
    await inData.expect("250 2.0.0", "421 4.3.2");
    await inData.expectEnd();
    for (const client of [idle, inSasl, inMail, inData]) client.close();

    const { code } = await mustHappen(listener.status, "the listener ends");
    assertEquals(code, 0);
    assertEquals(messagesIn(listener.maildir).map(withoutTrace).sort(), [
      "one\r\n",
      "the first half\r\nthe second half\r\n",
    ]);
  });
}

Deno.test("main.ts on SIGTERM waits for a decision under way, answers it and then 421", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
  await using end = serveHttp(async () => {
    ask();
    await decided;
    return Response.json({ ok: true });
  });
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", FOREVER],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.send(`AUTH PLAIN ${plain("ann", "secret")}`);
  await mustHappen(asked, "the endpoint is asked");
  listener.signal("SIGTERM");
  await listener.logged(/stopping on SIGTERM/);
  decide();
  await client.expect("235 2.7.0", "421 4.3.2");
  await client.expectEnd();
  client.close();
  assertEquals((await listener.stop()).code, 0);
});

Deno.test("main.ts exits with 0 on a SIGTERM that comes as soon as it says that it listens", async () => {
  const codes: number[] = [];
  for (let round = 0; round < 10; round++) {
    await using listener = await startListener();
    codes.push((await listener.stop()).code);
  }
  assertEquals(codes, codes.map(() => 0));
});

// --- Clients that leave, in part or altogether.

Deno.test("main.ts gives a client that closes its sending half behind QUIT every reply", async () => {
  const certificate = await testCertificate();
  const trusted = certificate.cert;
  await using plainText = await startListener();
  await using encrypted = await startListener({ certificate });
  const ways = {
    "plain text": () => loggedIn(plainText.port),
    "implicit TLS": () => loggedIn(encrypted.tlsPort, { trusted }),
    STARTTLS: async () => {
      const client = await SmtpClient.greeted(encrypted.port);
      await client.startTls(trusted);
      await client.command("EHLO client.example.net", "250");
      await client.login(USER, PASSWORD);
      return client;
    },
  };
  for (const [way, open] of Object.entries(ways)) {
    using client = await open();
    await client.envelope();
    await client.send(`over ${way}`, ".", "QUIT");
    await client.closeWrite();
    await client.expect("250 2.0.0", "221");
    await client.expectEnd();
  }
  assertEquals(
    [...messagesIn(plainText.maildir), ...messagesIn(encrypted.maildir)]
      .map(withoutTrace).sort(),
    ["over STARTTLS\r\n", "over implicit TLS\r\n", "over plain text\r\n"],
  );
});

/** A whole conversation: 9 replies. */
const SCRIPT = [
  "EHLO client.example.net",
  `AUTH PLAIN ${plain(USER, PASSWORD)}`,
  "MAIL FROM:<ann@example.org>",
  "RCPT TO:<bob@example.net>",
  "DATA",
  "all at once",
  ".",
  "QUIT",
] as const;
const SCRIPT_REPLIES = [
  ...["220", "250", "235", "250", "250", "354", "250 2.0.0", "221"],
] as const;

Deno.test("main.ts serves a script that sends everything in one write and closes its sending half", async () => {
  await using listener = await startListener();
  using client = await SmtpClient.open(listener.port);
  await client.send(...SCRIPT);
  await client.closeWrite();
  await client.expect(...SCRIPT_REPLIES);
  await client.expectEnd();
  assertEquals(
    withoutTrace(onlyMessageIn(listener.maildir)),
    "all at once\r\n",
  );
});

Deno.test("main.ts does not give up an endpoint for an end of file with commands in front of it", async () => {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: decided, resolve: decide } = Promise.withResolvers<void>();
  await using end = serveHttp(async () => {
    ask();
    await decided;
    return Response.json({ ok: true });
  });
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", FOREVER],
  });
  using client = await SmtpClient.open(listener.port);
  await client.send(...SCRIPT);
  await client.closeWrite();
  await mustHappen(asked, "the endpoint is asked");
  // Whatever came before this conversation has reached the listener.
  using other = await SmtpClient.greeted(listener.port);
  await other.command("QUIT", "221");
  await other.expectEnd();
  decide();
  await client.expect(...SCRIPT_REPLIES);
  await client.expectEnd();
});

/** An endpoint that never answers, and a listener that asks it. */
async function startAsking(cleanUp: AsyncDisposableStack) {
  const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
  const { promise: gaveUp, resolve: giveUp } = Promise.withResolvers<void>();
  const end = cleanUp.use(serveRaw(async (connection) => {
    await connection.readRequest();
    ask();
    await connection.gone();
    giveUp();
  }));
  const listener = cleanUp.use(
    await startListener({
      authUrl: `http://${end.host}/`,
      args: ["--auth-timeout", FOREVER],
    }),
  );
  return {
    listener,
    asked: () => mustHappen(asked, "the endpoint is asked"),
    gaveUp: async () => {
      await mustHappen(gaveUp, "the endpoint sees its client leave");
      const [line] = await events(listener, "auth");
      assertEquals(line?.reason, "client-gone");
    },
  };
}

const LOGIN = `AUTH PLAIN ${plain("ann", "secret")}`;

Deno.test("main.ts gives up asking the endpoint at an end of file with nothing in front of it", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const { listener, asked, gaveUp } = await startAsking(cleanUp);
  using client = await SmtpClient.greeted(listener.port);
  await client.send(LOGIN);
  await asked();
  await client.closeWrite();
  await gaveUp();
});

/**
 * A process that connects, sends a text, reads nothing and is killed: with
 * octets unread, the system resets the connection. (A socket that Deno closes
 * says end of file first.)
 */
function spawnClient(port: number, text: string): AsyncDisposable {
  const script = `const conn = await Deno.connect({ port: ${port} });
    await conn.write(new TextEncoder().encode(${JSON.stringify(text)}));
    setInterval(() => {}, 1000);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--quiet", "--no-config", script],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

for (const behind of [[], ["MAIL FROM:<ann@example.org>", "QUIT"]] as const) {
  Deno.test(`main.ts gives up asking the endpoint at a reset with ${behind.length} commands in front of it`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const { listener, asked, gaveUp } = await startAsking(cleanUp);
    const lines = ["EHLO client.example.net", LOGIN, ...behind, ""];
    {
      await using _client = spawnClient(listener.port, lines.join("\r\n"));
      await asked();
    }
    await gaveUp();
  });
}

Deno.test("main.ts logs nothing about clients that connect and leave, as health checks do", async () => {
  await using listener = await startListener();
  for (let i = 0; i < 5; i++) {
    (await SmtpClient.open(listener.port)).close();
    using waiting = await SmtpClient.open(listener.port);
    await waiting.expect("220");
    await waiting.closeWrite();
    await waiting.expectEnd();
    using polite = await SmtpClient.open(listener.port);
    await polite.expect("220");
    await polite.command("QUIT", "221");
    await polite.expectEnd();
  }
  await listener.stop();
  assertEquals(listener.log().map(({ message }) => message), [
    `listening on 127.0.0.1:${listener.port}`,
    "stopping on SIGTERM",
    "stopped",
  ]);
});

Deno.test("main.ts logs nothing about clients that connect to the TLS port and leave before a handshake", async () => {
  const certificate = await testCertificate();
  await using listener = await startListener({ certificate });
  for (let i = 0; i < 5; i++) {
    (await SmtpClient.open(listener.tlsPort)).close();
    using client = await SmtpClient.open(listener.tlsPort);
    await client.closeWrite();
    await client.rest();
  }
  // Whoever is greeted now was accepted behind all of them.
  const trusted = certificate.cert;
  (await SmtpClient.greeted(listener.tlsPort, { trusted })).close();
  await listener.stop();
  const closed = listener.log().filter(({ event }) => event === "closed");
  assertEquals(closed, []);
});

for (const half of [false, true]) {
  const way = half ? "closes its sending half" : "is gone";
  Deno.test(`main.ts drops a message whose client ${way} before its end`, async () => {
    await using listener = await startListener();
    using client = await loggedIn(listener.port);
    await client.envelope();
    await client.send("Subject: never", "", "to be finished", "..");
    await eventually(
      "the message is in tmp/",
      () => filesIn(listener.maildir, "tmp").length === 1,
    );
    if (half) {
      await client.closeWrite();
      await client.expectEnd();
    } else client.close();
    const [line] = await events(listener, "message");
    assertEquals(line?.code, undefined);
    assertMatch(String(line?.message), /lost with its connection/);
    assertNothingKept(listener);
  });
}

// --- The Maildir.

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
