import { assert, assertEquals } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import {
  CERTIFICATE,
  clientAfter,
  codes,
  EHLO,
  LOGIN,
  OPEN,
  WRONG,
} from "../../support/session_states.ts";

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
