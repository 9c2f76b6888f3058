import { AUTH_REPLIES, decisionReply } from "../../auth/replies.ts";
import { AuthDecision } from "../../auth/types.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const CODES = [
  ["ok", 235, "2.7.0"],
  ["invalid", 535, "5.7.8"],
  ["failure", 454, "4.7.0"],
  ["cancelled", 501, "5.7.0"],
  ["notBase64", 501, "5.5.2"],
  ["malformed", 501, "5.5.2"],
  ["lineTooLong", 500, "5.5.6"],
  ["unknownMechanism", 504, "5.5.4"],
  ["noMechanism", 501, "5.5.4"],
  ["outOfSequence", 503, "5.5.1"],
] as const;

Deno.test("AUTH_REPLIES has the codes of RFC 4954 and RFC 5248", () => {
  for (const [name, code, enhanced] of CODES) {
    const { text, ...codes } = AUTH_REPLIES[name];
    assertEquals(codes, { code, enhanced }, name);
    // One line, printable, short enough for any reply line (RFC 5321 4.5.3.1.5).
    assertMatch(text, /^[\x20-\x7e]{1,400}$/, name);
  }
  assertEquals(
    Object.keys(AUTH_REPLIES).sort(),
    CODES.map(([name]) => name as string).sort(),
  );
});

Deno.test("AUTH_REPLIES has classes that agree with their codes", () => {
  for (const reply of Object.values(AUTH_REPLIES)) {
    assertEquals(reply.enhanced?.charAt(0), String(reply.code).charAt(0));
  }
});

Deno.test("decisionReply() gives each decision its reply", () => {
  const decisions = [
    [AuthDecision.authOk, 235, "2.7.0"],
    [AuthDecision.authInvalid, 535, "5.7.8"],
    [AuthDecision.authFailure, 454, "4.7.0"],
    ["authOk", 235, "2.7.0"],
    ["authInvalid", 535, "5.7.8"],
    ["authFailure", 454, "4.7.0"],
  ] as const;
  for (const [decision, code, enhanced] of decisions) {
    const { text, ...codes } = decisionReply(decision);
    assertEquals(codes, { code, enhanced }, decision);
    assertMatch(text, /^[\x20-\x7e]+$/);
  }
});

Deno.test("decisionReply() lets the provider's own words stand in the 535", () => {
  const text = "Account closed, call 555";
  const enhanced = "5.7.8";
  assertEquals(decisionReply({ decision: "authInvalid", text }), {
    code: 535,
    enhanced,
    text,
  });
  for (const bad of ["a\r\n235 2.7.0 ok", "ü", "", " ", "x".repeat(201)]) {
    assertEquals(
      decisionReply({ decision: "authInvalid", text: bad }),
      AUTH_REPLIES.invalid,
    );
  }
  assertEquals(
    decisionReply({ decision: "authFailure", text }),
    AUTH_REPLIES.failure,
  );
  assertEquals(decisionReply({ decision: "authOk" }), AUTH_REPLIES.ok);
});

Deno.test("decisionReply() never lets in who comes with no decision", () => {
  for (
    const text of [
      '"AuthOk"',
      '"ok"',
      '""',
      "true",
      "1",
      "null",
      "{}",
      '"__proto__"',
      '{"decision":"AuthOk"}',
      '{"decision":"authOk","senders":"ann@example.com"}',
    ]
  ) {
    const { code, enhanced } = decisionReply(JSON.parse(text));
    assertEquals([code, enhanced], [454, "4.7.0"], text);
  }
});
