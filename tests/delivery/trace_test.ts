import type { Envelope } from "../../smtp/protocol/envelope.ts";
import { protocolWord, traceLines } from "../../delivery/trace.ts";
import { assertEquals } from "../support/assert.ts";

const ENVELOPE: Envelope = {
  sender: "ann@example.com",
  recipients: ["bob@example.org", "eve@example.net"],
  parameters: {},
  user: "ann",
  remoteIp: "192.0.2.7",
  heloName: "laptop",
  esmtp: true,
  tls: true,
};

const STAMP = {
  serverName: "mx.example.com",
  id: "17.P1Q2R3",
  date: new Date("2026-11-23T18:05:09Z"),
};

Deno.test("traceLines() names the envelope, and no recipient in Received", () => {
  assertEquals(
    traceLines(ENVELOPE, STAMP),
    [
      "Return-Path: <ann@example.com>",
      "X-Original-To: bob@example.org",
      "X-Original-To: eve@example.net",
      "X-Original-User: ann",
      "Received: from laptop ([192.0.2.7])",
      "\tby mx.example.com with ESMTPSA id 17.P1Q2R3;",
      "\tMon, 23 Nov 2026 18:05:09 +0000",
      "",
    ].join("\r\n"),
  );
});

Deno.test("traceLines() writes the empty sender as <> and IPv6 as RFC 5321 wants", () => {
  const lines = traceLines(
    { ...ENVELOPE, sender: "", remoteIp: "2001:db8::1" },
    STAMP,
  ).split("\r\n");
  assertEquals(lines[0], "Return-Path: <>");
  assertEquals(lines[4], "Received: from laptop ([IPv6:2001:db8::1])");
});

Deno.test("traceLines() lets no EHLO name write a header of its own", () => {
  for (
    const [heloName, shown] of [
      ["a (b) <c>; d", "a??b???c???d"],
      ["x\r\nBcc: y", "x??Bcc:?y"],
      ["bücher", "b?cher"],
      ["[192.0.2.1]", "[192.0.2.1]"],
      ["x".repeat(300), "x".repeat(255)],
    ] as const
  ) {
    const line = traceLines({ ...ENVELOPE, heloName }, STAMP).split("\r\n")[4];
    assertEquals(line, `Received: from ${shown} ([192.0.2.7])`);
  }
});

Deno.test("traceLines() names a user only where one has logged in", () => {
  const { user: _, ...nobody } = ENVELOPE;
  assertEquals(traceLines(nobody, STAMP).includes("X-Original-User"), false);
});

Deno.test("traceLines() lets no user name write a header of its own", () => {
  for (
    const [user, shown] of [
      ["ännchen@exämple.org", "ännchen@exämple.org"],
      ["a\r\nBcc: y", "a??Bcc: y"],
      ["a\u2028b\u2029c\x85d", "a?b?c?d"],
      ["x".repeat(256), "x".repeat(256)],
      ["x".repeat(257), `${"x".repeat(256)}…`],
    ] as const
  ) {
    const line = traceLines({ ...ENVELOPE, user }, STAMP).split("\r\n")[3];
    assertEquals(line, `X-Original-User: ${shown}`);
  }
});

Deno.test("protocolWord() has the words of RFC 3848 and RFC 6531", () => {
  const { user: _, ...nobody } = ENVELOPE;
  for (
    const [expected, esmtp, tls, authenticated, smtpUtf8] of [
      ["SMTP", false, false, false, false],
      ["ESMTP", true, false, false, false],
      ["ESMTPS", true, true, false, false],
      ["ESMTPA", true, false, true, false],
      ["ESMTPSA", true, true, true, false],
      ["ESMTPA", false, false, true, false],
      ["ESMTPS", false, true, false, false],
      ["UTF8SMTP", true, false, false, true],
      ["UTF8SMTPS", true, true, false, true],
      ["UTF8SMTPA", true, false, true, true],
      ["UTF8SMTPSA", true, true, true, true],
    ] as const
  ) {
    const base = authenticated ? ENVELOPE : nobody;
    const parameters = smtpUtf8 ? { smtpUtf8 } : {};
    assertEquals(protocolWord({ ...base, esmtp, tls, parameters }), expected);
  }
});
