import type {
  AuthOutcome,
  SessionAction,
} from "../../../smtp/protocol/actions.ts";
import * as endings from "../../../smtp/protocol/endings.ts";
import * as replies from "../../../smtp/protocol/replies.ts";
import type { Session } from "../../../smtp/protocol/session.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import {
  type ClientOptions,
  latin1,
  newSession,
  SessionClient,
  textOf,
} from "../../support/session.ts";

const EHLO = "EHLO client.example.net\r\n";
const LOGIN = "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n";
const WRONG = "AUTH PLAIN AGFubgB3cm9uZw==\r\n";
const MAIL = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>\r\n";

const OPEN: ClientOptions = { rules: { authRequired: false } };
const CERTIFICATE: ClientOptions = {
  rules: { startTls: true },
  peer: { plainTextAuth: false },
};

/** A client that has said something, whose answers are not of interest. */
function clientAfter(said: string, options: ClientOptions = {}): SessionClient {
  const client = new SessionClient(options);
  client.send(said);
  client.actions.length = 0;
  return client;
}

/** The code and enhanced code of each line. */
function codes(output: string): string[] {
  return output.split("\r\n").slice(0, -1).map((line) =>
    /^[0-9]{3}[- ](?:[0-9]\.[0-9]\.[0-9]+)?/.exec(line)?.[0].trim() ?? line
  );
}

/** Every state of a session, and how to get there. */
const STATES = {
  commands: ["", "needData", {}],
  sasl: [`${EHLO}AUTH LOGIN YW5u\r\n`, "needData", {}],
  deciding: [`${EHLO}${LOGIN}`, "authenticate", {}],
  upgrading: ["STARTTLS\r\n", "startTls", CERTIFICATE],
  transaction: [`${EHLO}${MAIL}`, "needData", OPEN],
  data: [`${EHLO}${MAIL}DATA\r\n`, "message", OPEN],
  delivering: [`${EHLO}${MAIL}DATA\r\nx\r\n.\r\n`, "endOfMessage", OPEN],
  closed: ["QUIT\r\n", "close", {}],
} as const satisfies Readonly<
  Record<string, readonly [string, SessionAction["kind"], ClientOptions]>
>;

type StateName = keyof typeof STATES;

const STATE_NAMES: readonly StateName[] = [
  "commands",
  "sasl",
  "deciding",
  "upgrading",
  "transaction",
  "data",
  "delivering",
  "closed",
];

/** A session in a state, its last question open, all its output taken. */
function sessionIn(state: StateName): Session {
  const [octets, last, options] = STATES[state];
  const session = newSession(options);
  session.receive(latin1(octets));
  while (session.next().kind !== last) {
    // Towards the question.
  }
  session.takeOutput();
  return session;
}

/** What a session says and does until it needs data or has closed. */
function drain(session: Session): { output: string[]; last: string } {
  for (;;) {
    const { kind } = session.next();
    if (kind === "needData" || kind === "close") {
      return { output: codes(textOf(session.takeOutput())), last: kind };
    }
  }
}

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
  assert(extensions.includes("250 AUTH PLAIN LOGIN"));
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

// Counts.

Deno.test("Session closes with the twentieth 500, 501, 502, 503 or 504", () => {
  const rows = [
    ["XYZ", "500 5.5.1"],
    ["NOOP\0", "500 5.5.2"],
    ["NOOP".padEnd(4097), "500 5.5.2"],
    ["AUTH".padEnd(12_289), "500 5.5.6"],
    ["RSET x", "501 5.5.4"],
    ["AUTH PLAIN %", "501 5.5.2"],
    ["EXPN x", "502 5.5.1"],
    ["DATA", "503 5.5.1"],
    ["AUTH NTLM", "504 5.5.4"],
  ] as const;
  for (const [line, expected] of rows) {
    const client = clientAfter(EHLO, OPEN);
    for (let i = 1; i < 20; i++) {
      assertEquals(codes(client.send(`${line}\r\n`)), [expected], line);
    }
    assertEquals(codes(client.send("NOOP\r\n")), ["250 2.0.0"], line);
    assertEquals(client.closed, false, line);
    const last = codes(client.send(`${line}\r\nNOOP\r\n`));
    assertEquals(last, [expected, "421 4.7.0"], line);
    assertEquals(client.closed, true, line);
  }
});

Deno.test("Session counts a 454 of the throttle as an error, and none of an outage", () => {
  const rows = [
    ["throttled-user", true],
    ["throttled-pair", true],
    ["throttled-network", true],
    ["backend-timeout", false],
    ["backend-busy", false],
    ["provider-failure", false],
  ] as const;
  for (const [reason, counts] of rows) {
    const client = clientAfter(EHLO, {
      decide: () => ({ decision: "authFailure", reason }),
    });
    for (let i = 1; i < 20; i++) {
      assertEquals(codes(client.send(LOGIN)), ["454 4.7.0"], reason);
    }
    assertEquals(
      codes(client.send(LOGIN)),
      ["454 4.7.0", ...(counts ? ["421 4.7.0"] : [])],
      reason,
    );
    assertEquals(client.closed, counts, reason);
  }
});

Deno.test("Session adds a throttled login to the errors of other commands", () => {
  const client = clientAfter(EHLO + "XYZ\r\n".repeat(19), {
    decide: () => ({ decision: "authFailure", reason: "throttled-pair" }),
  });
  assertEquals(client.closed, false);
  assertEquals(codes(client.send(LOGIN)), ["454 4.7.0", "421 4.7.0"]);
});

Deno.test("Session closes with the hundred-and-first command without a login", () => {
  const rows = ["NOOP\r\n", EHLO, "RSET\r\n", "MAIL FROM:<a@b>\r\n"];
  for (const line of rows) {
    const client = clientAfter(EHLO);
    const answered = codes(client.send(line.repeat(99)));
    assert(answered.every((code) => !code.startsWith("4")), line);
    assertEquals(client.closed, false, line);
    assertEquals(codes(client.send(line + LOGIN)), ["421 4.7.0"], line);
    assertEquals(client.closed, true, line);
  }
});

Deno.test("Session counts an AUTH as one command, whatever its steps", () => {
  const client = clientAfter("NOOP\r\n".repeat(50) + EHLO);
  const cancelled = "AUTH LOGIN\r\nYW5u\r\n*\r\n";
  client.send(cancelled.repeat(10) + "NOOP\r\n".repeat(38));
  assertEquals(codes(client.send(LOGIN)), ["235 2.7.0"]);
  assertEquals(codes(client.send("NOOP\r\n".repeat(300))).length, 300);
  assertEquals(client.closed, false);
});

Deno.test("Session counts commands without a login across STARTTLS", () => {
  const options = { rules: { startTls: true } };
  const client = clientAfter("NOOP\r\n".repeat(99) + "STARTTLS\r\n", options);
  assertEquals(codes(client.send("NOOP\r\n")), ["421 4.7.0"]);
  assertEquals(client.closed, true);
});

Deno.test("Session begins to count commands anew where STARTTLS forgets a login", () => {
  const options = { rules: { startTls: true } };
  const client = clientAfter("NOOP\r\n".repeat(90) + EHLO + LOGIN, options);
  client.send("STARTTLS\r\n");
  assertEquals(codes(client.send("NOOP\r\n".repeat(99))).length, 99);
  assertEquals(codes(client.send(EHLO)).length, 7);
  assertEquals(codes(client.send("NOOP\r\n")), ["421 4.7.0"]);
});

Deno.test("Session counts no commands where no login is required", () => {
  const client = clientAfter(EHLO, OPEN);
  assertEquals(codes(client.send("NOOP\r\n".repeat(300))).length, 300);
});

Deno.test("Session counts no other reply as an error", () => {
  const rows = [
    ["MAIL FROM:<a@b>", {}, "530 5.7.0"],
    ["AUTH PLAIN", CERTIFICATE, "538 5.7.11"],
    ["STARTTLS", {}, "454 4.7.0"],
    ["MAIL FROM:<a@b> SIZE=99999999999", OPEN, "552 5.3.4"],
    ["MAIL FROM:<\u00c3\u00a4@b>", OPEN, "553 5.6.7"],
    ["MAIL FROM:<a@b> RET=FULL", OPEN, "555 5.5.4"],
    ["VRFY x", OPEN, "252 2.0.0"],
  ] as const;
  for (const [line, options, expected] of rows) {
    const client = clientAfter(EHLO, options);
    for (let i = 0; i < 40; i++) {
      assertEquals(codes(client.send(`${line}\r\n`)), [expected], line);
    }
  }
});

Deno.test("Session closes with the third 535, whatever comes between", () => {
  const between = [
    "",
    "RSET\r\n",
    EHLO,
    "HELO client\r\n",
    "NOOP\r\n",
    "AUTH PLAIN\r\n*\r\n",
    "AUTH PLAIN %\r\n",
    "AUTH NTLM\r\n",
    "AUTH\r\n",
    "AUTH PLAIN AGRvd24AeA==\r\n",
    `AUTH PLAIN\r\n${"A".repeat(12_289)}\r\n`,
    "MAIL FROM:<a@b>\r\n",
  ];
  for (const said of between) {
    const client = clientAfter(EHLO);
    for (let i = 0; i < 2; i++) {
      assertEquals(codes(client.send(WRONG)), ["535 5.7.8"], said);
      client.send(said);
    }
    assertEquals(client.closed, false, said);
    const last = codes(client.send(`${WRONG}${LOGIN}`));
    assertEquals(last, ["535 5.7.8", "421 4.7.0"], said);
    assertEquals(client.closed, true, said);
  }
});

Deno.test("Session counts as failed logins all 535, and nothing else", () => {
  const rows = [
    ["AUTH PLAIN AGFubgB3cm9uZw==\r\n", "535 5.7.8"],
    ["AUTH LOGIN YW5u\r\neA==\r\n", "535 5.7.8"],
    [`AUTH PLAIN ${base64([0, 0xe4, 0, 120])}\r\n`, "535 5.7.8"],
    [`AUTH LOGIN ${base64([0xe4])}\r\n`, "535 5.7.8"],
    [`AUTH PLAIN ${base64("bob\0ann\0secret")}\r\n`, "535 5.7.8"],
    ["AUTH PLAIN AGRvd24AeA==\r\n", "454 4.7.0"],
    ["AUTH PLAIN %\r\n", "501 5.5.2"],
    ["AUTH PLAIN YW5u\r\n", "501 5.5.2"],
    ["AUTH PLAIN x y\r\n", "501 5.5.4"],
    ["AUTH PLAIN\r\n*\r\n", "501 5.7.0"],
    ["AUTH NTLM\r\n", "504 5.5.4"],
    [`AUTH ${"x".repeat(12_284)}\r\n`, "500 5.5.6"],
  ] as const;
  for (const [said, expected] of rows) {
    const client = clientAfter(EHLO);
    for (let i = 1; i <= 4; i++) {
      const output = codes(client.send(said)).filter((code) => code !== "334");
      const closes = expected === "535 5.7.8" && i >= 3;
      if (closes && i > 3) assertEquals(output, [], said);
      else {
        assertEquals(output, [expected, ...(closes ? ["421 4.7.0"] : [])]);
      }
    }
  }
});

Deno.test("Session.maxAuthFailures says with which 535 it closes", () => {
  for (const maxAuthFailures of [1, 2, 5]) {
    const client = clientAfter(EHLO, { rules: { maxAuthFailures } });
    const output = codes(client.send(WRONG.repeat(9)));
    assertEquals(output, [
      ...Array<string>(maxAuthFailures).fill("535 5.7.8"),
      "421 4.7.0",
    ]);
  }
});

// The outcomes of AUTH, for the log.

Deno.test("Session tells the outcome of each AUTH, once", () => {
  const ann = { mechanism: "PLAIN", username: "ann" };
  const rows: readonly (readonly [string, AuthOutcome])[] = [
    [LOGIN, { code: 235, reason: "ok", ...ann }],
    [WRONG, { code: 535, reason: "wrong-credentials", ...ann }],
    ["AUTH PLAIN AGRvd24AeA==\r\n", {
      code: 454,
      reason: "provider-failure",
      mechanism: "PLAIN",
      username: "down",
    }],
    ["auth login\r\nYW5u\r\nc2VjcmV0\r\n", {
      code: 235,
      reason: "ok",
      mechanism: "LOGIN",
      username: "ann",
    }],
    ["AUTH PLAIN\r\n*\r\n", {
      code: 501,
      reason: "cancelled",
      mechanism: "PLAIN",
    }],
    ["AUTH LOGIN\r\n*\r\n", {
      code: 501,
      reason: "cancelled",
      mechanism: "LOGIN",
    }],
    ["AUTH LOGIN YW5u\r\n*\r\n", {
      code: 501,
      reason: "cancelled",
      mechanism: "LOGIN",
      username: "ann",
    }],
    ["AUTH plain %\r\n", {
      code: 501,
      reason: "bad-base64",
      mechanism: "PLAIN",
    }],
    ["AUTH LOGIN YW5u\r\n%\r\n", {
      code: 501,
      reason: "bad-base64",
      mechanism: "LOGIN",
      username: "ann",
    }],
    ["AUTH PLAIN c2VjcmV0\r\n", {
      code: 501,
      reason: "bad-message",
      mechanism: "PLAIN",
    }],
    [`AUTH PLAIN ${base64([0, 0xe4, 0, 120])}\r\n`, {
      code: 535,
      reason: "bad-utf8",
      mechanism: "PLAIN",
    }],
    [`AUTH PLAIN ${base64("bob\0ann\0secret")}\r\n`, {
      code: 535,
      reason: "authzid-differs",
      mechanism: "PLAIN",
    }],
    [`AUTH LOGIN YW5u\r\n${"A".repeat(12_289)}\r\n`, {
      code: 500,
      reason: "line-too-long",
      mechanism: "LOGIN",
      username: "ann",
    }],
    [`AUTH PLAIN ${"A".repeat(12_289)}\r\n`, {
      code: 500,
      reason: "line-too-long",
      mechanism: "",
    }],
    ["AUTH NTLM\r\n", {
      code: 504,
      reason: "unknown-mechanism",
      mechanism: "",
    }],
    ["AUTH\r\n", { code: 501, reason: "bad-syntax", mechanism: "" }],
    ["AUTH AGFubgBzZWNyZXQ= x y\r\n", {
      code: 501,
      reason: "bad-syntax",
      mechanism: "",
    }],
  ];
  for (const [said, outcome] of rows) {
    for (const pieceSize of [Infinity, 1]) {
      const client = clientAfter(EHLO);
      client.send(said, pieceSize);
      assertEquals(client.outcomes(), [outcome], said.slice(0, 80));
    }
  }
});

Deno.test("Session tells the outcome of an AUTH out of its place", () => {
  const rows = [
    ["", {}, 503, "bad-sequence"],
    [EHLO + LOGIN, {}, 503, "bad-sequence"],
    [EHLO + MAIL, OPEN, 503, "bad-sequence"],
    [EHLO, CERTIFICATE, 538, "tls-required"],
  ] as const;
  for (const [said, options, code, reason] of rows) {
    const client = clientAfter(said, options);
    client.send(LOGIN);
    const outcomes = client.outcomes().map((o) => [o.code, o.reason]);
    assertEquals(outcomes, [[code, reason]]);
    assertEquals(client.outcomes()[0]?.username, undefined);
  }
});

Deno.test("Session tells the outcome before the commands behind it go on", () => {
  const client = clientAfter(EHLO);
  client.send(`${WRONG}${LOGIN}${MAIL}DATA\r\n.\r\n`);
  assertEquals(client.actions.map(({ kind }) => kind), [
    "authenticate",
    "authEnded",
    "authenticate",
    "authEnded",
    "message",
    "endOfMessage",
  ]);
});

Deno.test("Session tells a result's reason and its detail", () => {
  for (const reason of ["backend-timeout", "client-gone"] as const) {
    const session = sessionIn("commands");
    session.receive(latin1(`${EHLO}${LOGIN}`));
    const asked = session.next();
    assert(asked.kind === "authenticate");
    const detail = "as the provider says";
    session.decided({ decision: "authFailure", reason, detail });
    const mechanism = "PLAIN";
    assertEquals(session.next(), {
      kind: "authEnded",
      outcome: { code: 454, reason, detail, mechanism, username: "ann" },
    });
  }
});

Deno.test("Session tells no password and no response in an outcome", () => {
  const secret = "s3cret-pa55word";
  const message = base64(`\0ann\0${secret}`);
  const encoded = base64(secret);
  const conversations = [
    `AUTH PLAIN ${message}\r\n`,
    `AUTH PLAIN\r\n${message}\r\n`,
    `AUTH LOGIN YW5u\r\n${encoded}\r\n`,
    // A password in the place of the user name, or of the mechanism
    `AUTH LOGIN YW5u\r\n${encoded}!\r\n`,
    `AUTH LOGIN ${encoded}!\r\n`,
    `AUTH ${message}\r\n`,
    `AUTH ${encoded} ${message}\r\n`,
    `AUTH ${secret}\r\n`,
    `AUTH PLAIN ${message} ${secret}\r\n`,
    `AUTH PLAIN ${message}!\r\n`,
    `AUTH PLAIN ${base64(secret)}\r\n`,
    `AUTH PLAIN ${base64(`bob\0ann\0${secret}`)}\r\n`,
  ];
  for (const said of conversations) {
    const client = clientAfter(EHLO);
    const output = client.send(said);
    assertEquals(client.outcomes().length, 1, said);
    const told = (JSON.stringify(client.outcomes()) + output).toUpperCase();
    for (const part of [secret, encoded, message]) {
      assert(!told.includes(part.toUpperCase()), said);
    }
  }
});

Deno.test("Session tells no mechanism in an outcome but those that it knows", () => {
  const words = ["NTLM", "PLAINX", "XPLAIN", "AGFubgBzZWNyZXQ=", "c2VjcmV0"];
  for (const word of words) {
    const client = clientAfter(EHLO);
    client.send(`AUTH ${word}\r\n`);
    assertEquals(client.outcomes(), [
      { code: 504, reason: "unknown-mechanism", mechanism: "" },
    ], word);
  }
});

Deno.test("Session tells no mechanism that only toUpperCase() makes a known one", () => {
  for (const word of ["pla\u0131n", "log\u0131n"]) {
    const client = clientAfter(EHLO);
    client.send(new TextEncoder().encode(`AUTH ${word}\r\n`));
    assertEquals(client.outcomes(), [
      { code: 504, reason: "unknown-mechanism", mechanism: "" },
    ], word);
  }
});

Deno.test("Session.abandoned() is the outcome of an exchange that is under way", () => {
  const rows = [
    ["AUTH PLAIN\r\n", { reason: "client-gone", mechanism: "PLAIN" }],
    ["AUTH LOGIN\r\n", { reason: "client-gone", mechanism: "LOGIN" }],
    ["AUTH LOGIN YW5u\r\nc2Vj", {
      reason: "client-gone",
      mechanism: "LOGIN",
      username: "ann",
    }],
  ] as const;
  for (const [said, outcome] of rows) {
    const { session } = clientAfter(EHLO + said);
    assertEquals(session.abandoned(), outcome, said);
    assertEquals(session.abandoned(), undefined, said);
    assertEquals(session.next().kind, "close");
  }
});

Deno.test("Session.abandoned() is undefined where no exchange is under way", () => {
  for (const state of STATE_NAMES) {
    if (state === "sasl") continue;
    assertEquals(sessionIn(state).abandoned(), undefined, state);
  }
  for (const said of [LOGIN, WRONG, "AUTH PLAIN\r\n*\r\n", "AUTH LOGIN"]) {
    assertEquals(clientAfter(EHLO + said).session.abandoned(), undefined, said);
  }
});

Deno.test("Session takes the provider's own name for the user, and its context", () => {
  const client = clientAfter(EHLO);
  client.send("AUTH PLAIN AGJvYgBzZWNyZXQ=\r\n");
  assertEquals(client.outcomes(), [{
    code: 235,
    reason: "ok",
    mechanism: "PLAIN",
    username: "bob@example.org",
  }]);
  client.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.net>\r\nDATA\r\n.\r\n");
  const [message] = client.messages();
  const { user, context } = message?.envelope ?? {};
  assertEquals([user, context], ["bob@example.org", { tenant: 7 }]);
});

// Messages.

Deno.test("Session tells the envelope of a message", () => {
  const client = clientAfter(`HELO client\r\n${LOGIN}`);
  client.send(
    "MAIL FROM:<> SIZE=10 BODY=8BITMIME SMTPUTF8 AUTH=<>\r\n" +
      "RCPT TO:<bob@example.net>\r\nRCPT TO:<x>\r\nRCPT TO:<postmaster>\r\n" +
      "RCPT TO:<bob@example.net>\r\nDATA\r\n..x\r\n.\r\n",
  );
  assertEquals(client.messages(), [{
    envelope: {
      sender: "",
      recipients: ["bob@example.net", "postmaster", "bob@example.net"],
      parameters: { size: 10, body: "8BITMIME", smtpUtf8: true, auth: "<>" },
      user: "ann",
      remoteIp: "192.0.2.7",
      heloName: "client",
      esmtp: false,
      tls: false,
    },
    body: ".x\r\n",
    bad: false,
    octets: 4,
  }]);
});

Deno.test("Session tells no username where nobody has authenticated", () => {
  const client = clientAfter(`${EHLO}${MAIL}`, OPEN);
  client.send("DATA\r\n.\r\n");
  const [message] = client.messages();
  assert(message !== undefined);
  assertEquals("username" in message.envelope, false);
});

Deno.test("Session begins each message anew", () => {
  const client = clientAfter(EHLO, OPEN);
  client.send(`${MAIL}DATA\r\none\r\n.\r\n`);
  client.send(
    "MAIL FROM:<x@y> SIZE=3\r\nRCPT TO:<bob@example.net>\r\nRSET\r\n",
  );
  client.send("MAIL FROM:<>\r\nRCPT TO:<carol@example.net>\r\n");
  client.send("DATA\r\ntwo\r\n.\r\n");
  const seen = client.messages().map(({ envelope, body, octets }) => [
    envelope.sender,
    envelope.recipients,
    envelope.parameters,
    body,
    octets,
  ]);
  assertEquals(seen, [
    ["ann@example.org", ["bob@example.net"], {}, "one\r\n", 5],
    ["", ["carol@example.net"], {}, "two\r\n", 5],
  ]);
});

Deno.test("Session tells heloName as the client gave it", () => {
  const names = ["client", "[192.0.2.7]", "Two Words", "h\u00e9", "-"];
  for (const heloName of names) {
    const client = new SessionClient();
    client.send(new TextEncoder().encode(`EHLO  ${heloName} \r\n${LOGIN}`));
    const [asked] = client.actions;
    assert(asked?.kind === "authenticate");
    assertEquals(asked.request.heloName, heloName);
  }
});

Deno.test("Session gives bodies away: later input does not change them", () => {
  for (const size of [1, 100, 4095, 4096, 5000, 60_000]) {
    const client = new SessionClient(OPEN);
    client.send(`${EHLO}${MAIL}DATA\r\n`);
    const expected: string[] = [];
    // ASCII letters that differ from piece to piece, with dots to unstuff.
    for (let i = 0; i < 20; i++) {
      const piece = String.fromCharCode(97 + i).repeat(size);
      client.send(`${piece}\r\n..`);
      expected.push(`${piece}\r\n.`);
    }
    client.send(`\r\n.\r\n${MAIL}DATA\r\n${"z".repeat(100_000)}\r\n.\r\n`);
    const [message] = client.messages();
    // Not assertEquals(): the difference would be a megabyte.
    assert(message?.body === `${expected.join("")}\r\n`, `pieces of ${size}`);
  }
});

Deno.test("Session gives no body octets after a fault, and the end all the same", () => {
  const rows = [
    ["bare-line-end", "a\nb\r\n", "554 5.6.0"],
    ["bare-line-end", "a\rb\r\n", "554 5.6.0"],
    ["too-large", "0123456789\r\n", "552 5.3.4"],
  ] as const;
  for (const [fault, start, reply] of rows) {
    for (const pieceSize of [Infinity, 1]) {
      const rules = { authRequired: false, maxMessageOctets: 11 };
      const client = clientAfter(`${EHLO}${MAIL}DATA\r\n`, { rules });
      client.send(start, pieceSize);
      const { length } = client.actions;
      assertEquals(client.actions.at(-1), { kind: "badBody", fault });
      client.send("more\r\n", pieceSize);
      assertEquals(client.actions.length, length);
      const output = client.send(".\r\nNOOP\r\n", pieceSize);
      assertEquals(client.actions.slice(length).map(({ kind }) => kind), [
        "endOfMessage",
      ]);
      assertEquals(codes(output), [reply, "250 2.0.0"]);
    }
  }
});

Deno.test("Session.delivered() returns what the client reads", () => {
  const good = sessionIn("delivering");
  assertEquals(good.delivered(replies.storageFull), replies.storageFull);
  assertEquals(drain(good).output, ["452 4.3.1"]);

  const bad = sessionIn("data");
  bad.receive(latin1("\n\r\n.\r\n"));
  while (bad.next().kind !== "endOfMessage") {
    // Towards the end.
  }
  assertEquals(bad.delivered(replies.accepted), replies.bareLineEnd);
  assertEquals(drain(bad).output, ["554 5.6.0"]);
});

Deno.test("Session.inTransaction lasts from MAIL to the reply to the message", () => {
  const inTransaction = STATE_NAMES.filter((state) =>
    sessionIn(state).inTransaction
  );
  assertEquals(inTransaction, ["transaction", "data", "delivering"]);
  const session = sessionIn("delivering");
  session.delivered(replies.accepted);
  assertEquals(session.inTransaction, false);
  for (const end of ["RSET\r\n", EHLO, "HELO x\r\n"]) {
    const { session } = clientAfter(`${EHLO}${MAIL}${end}`, OPEN);
    assertEquals(session.inTransaction, false, end);
  }
});

Deno.test("Session.readingData lasts from DATA to the end of the message", () => {
  const reading = STATE_NAMES.filter((state) => sessionIn(state).readingData);
  assertEquals(reading, ["data"]);
});

// Ends.

Deno.test("Session.greet() puts the greeting into the output", () => {
  const session = newSession();
  session.greet();
  assertEquals(
    textOf(session.takeOutput()),
    "220 mail.example.org ESMTP\r\n",
  );
});

Deno.test("Session.end() says a last reply and closes, in every state but the last", () => {
  for (const state of STATE_NAMES) {
    const session = sessionIn(state);
    session.end(endings.idle);
    session.receive(latin1("NOOP\r\n"));
    assertEquals(
      drain(session),
      { output: state === "closed" ? [] : ["421 4.4.2"], last: "close" },
      state,
    );
  }
});

Deno.test("Session closes on an HTTP request without a reply", () => {
  for (const state of ["commands", "transaction"] as const) {
    const session = sessionIn(state);
    session.receive(latin1("GET / HTTP/1.1\r\nHost: x\r\n\r\nNOOP\r\n"));
    assertEquals(drain(session), { output: [], last: "close" }, state);
  }
});

Deno.test("Session.stop() closes where nothing is under way", () => {
  const said = { output: ["421 4.3.2"], last: "close" };
  for (const state of ["commands", "sasl"] as const) {
    const session = sessionIn(state);
    session.stop();
    assertEquals(drain(session), said, state);
  }
  // Half a line is nothing either.
  const session = sessionIn("commands");
  session.receive(latin1("NOO"));
  session.stop();
  assertEquals(drain(session), said);
});

Deno.test("Session.stop() answers first what has been received", () => {
  const session = sessionIn("commands");
  session.receive(latin1("NOOP\r\nVRFY x\r\n"));
  session.stop();
  assertEquals(drain(session), {
    output: ["250 2.0.0", "530 5.7.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() lets a decision come", () => {
  const session = sessionIn("deciding");
  session.stop();
  session.decided({ decision: "authOk" });
  assertEquals(drain(session), {
    output: ["235 2.7.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() closes after TLS, not before", () => {
  const session = sessionIn("upgrading");
  session.stop();
  const after = session.afterTls();
  assertEquals(session.hasOutput, false);
  assertEquals(drain(after), { output: ["421 4.3.2"], last: "close" });
});

Deno.test("Session.stop() lets a transaction end", () => {
  const session = sessionIn("transaction");
  session.stop();
  assertEquals(drain(session), { output: [], last: "needData" });
  session.receive(latin1("DATA\r\n"));
  assertEquals(drain(session), { output: ["354"], last: "needData" });
  session.receive(latin1("x\r\n.\r\n"));
  while (session.next().kind !== "endOfMessage") {
    // Towards the end.
  }
  session.delivered(replies.accepted);
  assertEquals(drain(session), {
    output: ["250 2.0.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() closes when a transaction ends without a message", () => {
  for (const line of ["RSET\r\n", EHLO]) {
    const session = sessionIn("transaction");
    session.stop();
    session.receive(latin1(line));
    const { output, last } = drain(session);
    assertEquals([output.at(-1), last], ["421 4.3.2", "close"]);
  }
});

Deno.test("Session.stop() waits for the message in data and delivering", () => {
  const data = sessionIn("data");
  data.stop();
  assertEquals(drain(data), { output: [], last: "needData" });
  const delivering = sessionIn("delivering");
  delivering.stop();
  delivering.delivered(replies.accepted);
  assertEquals(drain(delivering), {
    output: ["250 2.0.0", "421 4.3.2"],
    last: "close",
  });
});

Deno.test("Session.stop() changes nothing where the session has closed", () => {
  const session = sessionIn("closed");
  session.stop();
  assertEquals(drain(session), { output: [], last: "close" });
});

/** How AUTH ended: by an action, or as what the client has left. */
function allOutcomes(session: Session): AuthOutcome[] {
  const outcomes: AuthOutcome[] = [];
  for (;;) {
    const action = session.next();
    if (action.kind === "authEnded") outcomes.push(action.outcome);
    if (action.kind === "close") break;
  }
  const left = session.abandoned();
  return left === undefined ? outcomes : [...outcomes, left];
}

Deno.test("Session tells an outcome of the AUTH that stop() ends", () => {
  const session = sessionIn("sasl");
  session.next();
  session.stop();
  const outcomes = allOutcomes(session);
  assertEquals(outcomes.map((o) => [o.mechanism, o.username]), [
    ["LOGIN", "ann"],
  ]);
});

Deno.test("Session tells an outcome of the AUTH that end() ends", () => {
  const session = sessionIn("sasl");
  session.next();
  session.end(endings.idle);
  const outcomes = allOutcomes(session);
  assertEquals(outcomes.map((o) => [o.mechanism, o.username]), [
    ["LOGIN", "ann"],
  ]);
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
