import * as replies from "../../../smtp/protocol/replies.ts";
import type { Session } from "../../../smtp/protocol/session.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import {
  type ClientOptions,
  latin1,
  newSession,
  SessionClient,
  textOf,
} from "../../support/session.ts";
import {
  CERTIFICATE,
  clientAfter,
  codes,
  drain,
  EHLO,
  LOGIN,
  MAIL,
  OPEN,
  sessionIn,
  STATE_NAMES,
  type StateName,
  WRONG,
} from "../../support/session_states.ts";

// The order of API calls.

const CALLS = {
  next: (session: Session) => session.next(),
  decided: (session: Session) => session.decided({ decision: "authOk" }),
  delivered: (session: Session) => session.delivered(replies.accepted),
  afterTls: (session: Session) => session.afterTls(),
} as const;

const ALLOWED: Readonly<Record<StateName, keyof typeof CALLS>> = {
  commands: "next",
  sasl: "next",
  deciding: "decided",
  upgrading: "afterTls",
  transaction: "next",
  data: "next",
  delivering: "delivered",
  closed: "next",
};

for (const state of STATE_NAMES) {
  Deno.test(`Session throws on calls out of order, in ${state}`, () => {
    for (const call of ["decided", "delivered", "afterTls"] as const) {
      if (call === ALLOWED[state]) continue;
      assertThrows(
        () => CALLS[call](sessionIn(state)),
        Error,
        `Session.${call}() answers a question that is not open`,
      );
    }
    if (ALLOWED[state] !== "next") {
      assertThrows(
        () => sessionIn(state).next(),
        Error,
        `Session.next() before its question: ${state}`,
      );
    }
    // The right one does not throw, and only once.
    const session = sessionIn(state);
    CALLS[ALLOWED[state]](session);
    if (state === "deciding" || state === "delivering") {
      assertThrows(() => CALLS[ALLOWED[state]](session), Error, "not open");
    }
  });
}

Deno.test("Session.next() says close again and again", () => {
  const session = sessionIn("closed");
  session.receive(latin1("NOOP\r\n"));
  for (let i = 0; i < 3; i++) assertEquals(session.next().kind, "close");
  assertEquals(session.hasOutput, false);
});

// The order of checks.

Deno.test("Session checks 538, then 530, then 503, then 501 and the rest", () => {
  const busy = `${EHLO}${MAIL}`;
  const noAuth: ClientOptions = { peer: { plainTextAuth: false } };
  const open = { ...OPEN, ...noAuth };
  const rows = [
    // 538 before 503 and before any look at the arguments
    ["", "AUTH", noAuth, "538 5.7.11"],
    ["", "AUTH PLAIN x y z", noAuth, "538 5.7.11"],
    [busy, "AUTH NTLM", open, "538 5.7.11"],
    // 530 before 503, 501 and 555
    ["", "MAIL", {}, "530 5.7.0"],
    ["", "MAIL FROM:<a@b> RET=FULL", {}, "530 5.7.0"],
    [EHLO, "RCPT", {}, "530 5.7.0"],
    [EHLO, "DATA now", {}, "530 5.7.0"],
    [EHLO, "EXPN", {}, "530 5.7.0"],
    // 503 before 501, 504, 552, 553, 555
    ["", "AUTH", {}, "503 5.5.1"],
    ["", "AUTH PLAIN %", {}, "503 5.5.1"],
    ["", "AUTH NTLM", {}, "503 5.5.1"],
    [EHLO + LOGIN, "AUTH", {}, "503 5.5.1"],
    [busy, "AUTH NTLM", OPEN, "503 5.5.1"],
    ["", "MAIL", OPEN, "503 5.5.1"],
    ["", "MAIL FROM:<a@b> RET=FULL", OPEN, "503 5.5.1"],
    [busy, "MAIL", OPEN, "503 5.5.1"],
    [busy, "MAIL FROM:<a@b> SIZE=99999999999", OPEN, "503 5.5.1"],
    [EHLO, "RCPT", OPEN, "503 5.5.1"],
    [EHLO, "DATA now", OPEN, "503 5.5.1"],
    [
      busy,
      "STARTTLS now",
      { rules: { ...OPEN.rules, startTls: true } },
      "503 5.5.1",
    ],
    ["", "STARTTLS now", { peer: { tls: true } }, "503 5.5.1"],
    // 501 before 454, 504 and 552
    [EHLO, "AUTH NTLM x y", {}, "501 5.5.4"],
    [EHLO, "STARTTLS now", {}, "501 5.5.4"],
    [EHLO, "MAIL FROM:<a@b> SIZE=99999999999 BODY=x", OPEN, "501 5.5.4"],
    // and those last
    [EHLO, "AUTH NTLM x", {}, "504 5.5.4"],
    [EHLO, "STARTTLS", {}, "454 4.7.0"],
    [EHLO, "MAIL FROM:<a@b> SIZE=99999999999", OPEN, "552 5.3.4"],
  ] as const;
  for (const [said, line, options, expected] of rows) {
    const client = clientAfter(said, options);
    assertEquals(codes(client.send(`${line}\r\n`)), [expected], line);
  }
});

// Pipelining.

Deno.test("Session keeps what is pipelined behind AUTH until the decision", () => {
  const session = sessionIn("commands");
  session.receive(latin1(`${EHLO}NOOP\r\n${LOGIN}VRFY x\r\nQUIT\r\nNOOP\r\n`));
  const asked = session.next();
  assertEquals(asked, {
    kind: "authenticate",
    request: {
      username: "ann",
      password: "secret",
      mechanism: "PLAIN",
      remoteIp: "192.0.2.7",
      heloName: "client.example.net",
    },
  });
  assertEquals(codes(textOf(session.takeOutput())).at(-1), "250 2.0.0");
  assertEquals(session.waiting, "VRFY x\r\nQUIT\r\nNOOP\r\n".length);
  session.receive(latin1("NOOP\r\n"));
  assertEquals(session.hasOutput, false);
  session.decided({ decision: "authOk" });
  assertEquals(drain(session), {
    output: ["235 2.7.0", "252 2.0.0", "221 2.0.0"],
    last: "close",
  });
});

Deno.test("Session keeps what is pipelined behind a message until it is delivered", () => {
  const session = sessionIn("delivering");
  session.receive(latin1("NOOP\r\nQUIT\r\n"));
  assertEquals(session.hasOutput, false);
  session.delivered(replies.storageFull);
  assertEquals(drain(session), {
    output: ["452 4.3.1", "250 2.0.0", "221 2.0.0"],
    last: "close",
  });
});

Deno.test("Session.takeOutput() has all replies of a pipelined batch in one piece", () => {
  const session = sessionIn("commands");
  assertEquals(session.hasOutput, false);
  assertEquals(session.takeOutput().length, 0);
  session.receive(latin1("NOOP\r\nVRFY x\r\nXYZ\r\n"));
  assertEquals(session.next().kind, "needData");
  assertEquals(session.hasOutput, true);
  assertEquals(
    textOf(session.takeOutput()),
    "250 2.0.0 Ok\r\n530 5.7.0 Authentication required\r\n" +
      "500 5.5.1 Command not recognized\r\n",
  );
  assertEquals(session.hasOutput, false);
  assertEquals(session.takeOutput().length, 0);
});

Deno.test("Session.next() answers nothing before a line has its CRLF", () => {
  const session = sessionIn("commands");
  for (const part of ["N", "OO", "P", "\r"]) {
    session.receive(latin1(part));
    assertEquals(drain(session), { output: [], last: "needData" });
  }
  session.receive(latin1("\n"));
  assertEquals(drain(session), { output: ["250 2.0.0"], last: "needData" });
});

// What is kept of the client's octets.

Deno.test("Session keeps a bounded part of 10 MB without CRLF", () => {
  const rows = [
    ["commands", "x", 0, ["500 5.5.2"]],
    ["commands", "AUTH x", 0, ["500 5.5.6"]],
    ["sasl", "x", 0, ["500 5.5.6"]],
    ["transaction", "x", 0, ["500 5.5.2"]],
    ["data", "x", 0, []],
  ] as const;
  for (const [state, start, kept, expected] of rows) {
    const session = sessionIn(state);
    session.receive(latin1(start));
    const output: string[] = [];
    let most = 0;
    for (let sent = 0; sent < 10_000_000; sent += 50_000) {
      session.receive(new Uint8Array(50_000).fill(120));
      output.push(...drain(session).output);
      most = Math.max(most, session.waiting);
    }
    assertEquals(output, [...expected], state);
    assertEquals(most, kept, state);
  }
});

Deno.test("Session answers a line that is too long once, and at the limit", () => {
  const rows = [
    ["commands", "NOOP ", 4096, "500 5.5.2"],
    ["commands", "auth ", 12_288, "500 5.5.6"],
    ["sasl", "", 12_288, "500 5.5.6"],
  ] as const;
  for (const [state, start, limit, expected] of rows) {
    const session = sessionIn(state);
    session.receive(latin1(start.padEnd(limit, "A")));
    assertEquals(drain(session), { output: [], last: "needData" });
    assertEquals(session.waiting, limit);
    session.receive(latin1("A"));
    assertEquals(drain(session).output, [expected]);
    assertEquals(session.waiting, 0);
    session.receive(latin1("AAA\r\nNOOP\r\n"));
    assertEquals(drain(session).output, ["250 2.0.0"]);
  }
});

// STARTTLS.

Deno.test("Session.afterTls() leaves plain text behind, whole lines and half ones", () => {
  for (const injected of ["RSET\r\n", "RSE", "EHLO x\r\nMAIL FROM:<"]) {
    const client = new SessionClient(CERTIFICATE);
    const output = client.send(`${EHLO}STARTTLS\r\n${injected}`);
    assertEquals(codes(output).at(-1), "220 2.0.0", injected);
    assertEquals(client.session.waiting, 0, injected);
    assertEquals(codes(client.send("NOOP\r\n")), ["250 2.0.0"], injected);
  }
});

Deno.test("Session takes nothing after STARTTLS until TLS is on", () => {
  const session = newSession(CERTIFICATE);
  session.receive(latin1("STARTTLS\r\nRSET\r\n"));
  assertEquals(session.next(), { kind: "startTls" });
  assertEquals(
    textOf(session.takeOutput()),
    "220 2.0.0 Ready to start TLS\r\n",
  );
  session.receive(latin1("RSET\r\n"));
  const after = session.afterTls();
  assertEquals(drain(after), { output: [], last: "needData" });
});

Deno.test("Session.afterTls() forgets greeting and login", () => {
  const client = clientAfter(`${EHLO}${LOGIN}`, {
    rules: { startTls: true },
  });
  client.send("STARTTLS\r\n");
  assertEquals(codes(client.send(LOGIN)), ["503 5.5.1"]);
  assertEquals(codes(client.send("MAIL FROM:<a@b>\r\n")), ["530 5.7.0"]);
  client.send(EHLO.replace("client", "other") + LOGIN);
  const requests = client.actions.filter(({ kind }) => kind === "authenticate");
  assertEquals(requests.length, 1);
  client.send(`${MAIL}DATA\r\n.\r\n`);
  assertEquals(client.messages().map(({ envelope }) => envelope), [{
    sender: "ann@example.org",
    recipients: ["bob@example.net"],
    parameters: {},
    user: "ann",
    remoteIp: "192.0.2.7",
    heloName: "other.example.net",
    esmtp: true,
    tls: true,
  }]);
});

Deno.test("Session.afterTls() allows AUTH and offers no STARTTLS, without a greeting", () => {
  const client = clientAfter("STARTTLS\r\n", CERTIFICATE);
  assertEquals(client.run(), "");
  assertEquals(codes(client.send(LOGIN)), ["503 5.5.1"]);
  const extensions = client.send(EHLO).split("\r\n");
  assert(extensions.includes("250-AUTH PLAIN LOGIN"));
  assert(!extensions.some((line) => line.includes("STARTTLS")));
});

Deno.test("Session.afterTls() keeps the counts of failures and errors", () => {
  const options = { rules: { startTls: true } };
  const failures = clientAfter(`${EHLO}${WRONG}${WRONG}`, options);
  failures.send("STARTTLS\r\n");
  assertEquals(codes(failures.send(EHLO + WRONG)).slice(-2), [
    "535 5.7.8",
    "421 4.7.0",
  ]);
  assertEquals(failures.closed, true);

  const errors = clientAfter("XYZ\r\n".repeat(19), options);
  errors.send("STARTTLS\r\n");
  assertEquals(codes(errors.send("XYZ\r\n")), ["500 5.5.1", "421 4.7.0"]);
  assertEquals(errors.closed, true);
});

Deno.test("Session wants its output written before it answers thousands of commands", () => {
  const session = newSession(OPEN);
  session.receive(new TextEncoder().encode("EHLO x\r\n".repeat(1000)));
  let most = 0;
  let flushes = 0;
  for (let kind = ""; kind !== "needData";) {
    ({ kind } = session.next());
    const { length } = session.takeOutput();
    most = Math.max(most, length);
    if (kind === "flush") flushes++;
  }
  assert(flushes > 5, `${flushes} flushes`);
  assert(most < 20_000, `${most} octets at once`);
});
