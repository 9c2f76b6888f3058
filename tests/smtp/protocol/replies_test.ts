import { AUTH_REPLIES, type SmtpReply } from "../../../auth/replies.ts";
import * as authRefusals from "../../../smtp/protocol/auth_refusals.ts";
import * as refusals from "../../../smtp/protocol/refusals.ts";
import { encodeReply } from "../../../smtp/protocol/output.ts";
import * as replies from "../../../smtp/protocol/replies.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
} from "../../support/assert.ts";
import { textOf } from "../../support/session.ts";

/** An intermediate reply has no enhanced code. */
const { startInput: _, ...final } = replies;

function text(reply: SmtpReply): string {
  return textOf(encodeReply(reply));
}

Deno.test("encodeReply() writes code, enhanced code, text and CRLF", () => {
  const reply = { code: 250, enhanced: "2.0.0", text: "Ok" };
  assertEquals(text(reply), "250 2.0.0 Ok\r\n");
});

Deno.test("encodeReply() writes no enhanced code where there is none", () => {
  assertEquals(text({ code: 250, text: "Ok" }), "250 Ok\r\n");
});

Deno.test("encodeReply() keeps the space in front of an empty text", () => {
  assertEquals(text({ code: 334, text: "" }), "334 \r\n");
});

Deno.test("encodeReply() makes line feeds a multi-line reply", () => {
  const reply = { code: 550, enhanced: "5.7.1", text: "No\n\nNever" };
  assertEquals(
    text(reply),
    "550-5.7.1 No\r\n550-5.7.1 \r\n550 5.7.1 Never\r\n",
  );
  assertEquals(text({ code: 250, text: "a\nb" }), "250-a\r\n250 b\r\n");
});

Deno.test("encodeReply() shows what is not printable ASCII as a question mark", () => {
  const controls = String.fromCharCode(...Array(32).keys(), 127)
    .replace("\n", "");
  const all = `${controls}\u0080\u00e4\u2028\ufffd\u{1f431}`;
  assertEquals(
    text({ code: 550, enhanced: "5.7.1", text: all }),
    `550 5.7.1 ${"?".repeat(32 + 4 + 2)}\r\n`,
  );
  const printable = String.fromCharCode(
    ...Array.from({ length: 95 }, (_, i) => 32 + i),
  );
  assertEquals(text({ code: 250, text: printable }), `250 ${printable}\r\n`);
});

Deno.test("encodeReply() lets no text begin another reply", () => {
  const reply = { code: 550, enhanced: "5.7.1", text: "x\r\n250 2.0.0 Ok" };
  assertEquals(text(reply), "550-5.7.1 x?\r\n550 5.7.1 250 2.0.0 Ok\r\n");
});

Deno.test("encodeReply() encodes the table's replies once and others anew", () => {
  assertStrictEquals(encodeReply(replies.done), encodeReply(replies.done));
  const reply = { code: 250, text: "one" };
  assertEquals(text(reply), "250 one\r\n");
  reply.text = "two";
  assertEquals(text(reply), "250 two\r\n");
});

Deno.test("every reply has an enhanced code of the code's class", () => {
  const all = [final, refusals, authRefusals, AUTH_REPLIES]
    .flatMap((table) => Object.entries<SmtpReply>(table));
  for (const [name, { code, enhanced, text }] of all) {
    // RFC 2034 section 3.
    assertMatch(
      enhanced ?? "",
      new RegExp(`^${Math.floor(code / 100)}\\.[0-9]\\.[0-9]{1,2}$`),
      name,
    );
    // One line, RFC 5321 section 4.5.3.1.5.
    assertMatch(text, /^[\x20-\x7e]{1,200}$/, name);
  }
  assert(all.length > 40);
});

/** Code and enhanced code by name. */
function codesOf(table: Readonly<Record<string, SmtpReply>>) {
  return Object.fromEntries(
    Object.entries(table).map(([name, { code, enhanced }]) => [
      name,
      `${code} ${enhanced}`,
    ]),
  );
}

Deno.test("the replies are what the contract and the RFCs have", () => {
  assertEquals(codesOf(final), {
    ready: "220 2.0.0",
    bye: "221 2.0.0",
    done: "250 2.0.0",
    senderOk: "250 2.1.0",
    recipientOk: "250 2.1.5",
    accepted: "250 2.0.0",
    cannotVerify: "252 2.0.0",
    help: "214 2.0.0",
    shuttingDown: "421 4.3.2",
    tooManyConnections: "421 4.3.2",
    tooManyFromNetwork: "421 4.3.2",
    idle: "421 4.4.2",
    tooManyFailures: "421 4.7.0",
    tooManyErrors: "421 4.7.0",
    tooManyCommands: "421 4.7.0",
    noLoginInTime: "421 4.7.0",
    deliveryFailed: "451 4.3.0",
    stepFailed: "451 4.3.0",
    storageFull: "452 4.3.1",
    bareLineEnd: "554 5.6.0",
    earlyTalker: "554 5.5.0",
  });
});

Deno.test("refusals are what the contract and the RFCs have", () => {
  assertEquals(codesOf(refusals), {
    tooManyRecipients: "452 4.5.3",
    noCertificate: "454 4.7.0",
    lineTooLong: "500 5.5.2",
    malformedLine: "500 5.5.2",
    unknownCommand: "500 5.5.1",
    unexpectedArgument: "501 5.5.4",
    missingName: "501 5.5.4",
    mailSyntax: "501 5.5.2",
    rcptSyntax: "501 5.5.2",
    badSender: "501 5.1.7",
    badRecipient: "501 5.1.3",
    badParameter: "501 5.5.4",
    notImplemented: "502 5.5.1",
    helloFirst: "503 5.5.1",
    alreadyTls: "503 5.5.1",
    inTransaction: "503 5.5.1",
    mailFirst: "503 5.5.1",
    rcptFirst: "503 5.5.1",
    authRequired: "530 5.7.0",
    authBehindTls: "530 5.7.0",
    messageTooLarge: "552 5.3.4",
    needsSmtpUtf8: "553 5.6.7",
    unknownParameter: "555 5.5.4",
  });
  assertEquals(codesOf(authRefusals), {
    tlsRequired: "538 5.7.11",
    alreadyAuthenticated: "503 5.5.1",
    helloFirst: "503 5.5.1",
    inTransaction: "503 5.5.1",
    malformedLine: "500 5.5.2",
  });
});

Deno.test("each refusal has a reason of its own, in words for a log", () => {
  const { authBehindTls, ...others } = refusals;
  // One refusal in two ways to say it: the log has `tls` beside its reason.
  assertEquals(authBehindTls.reason, refusals.authRequired.reason);
  const reasons = Object.values(others).map(({ reason }) => reason);
  assertEquals(new Set(reasons).size, reasons.length);
  for (const reason of reasons) assertMatch(reason, /^[a-z0-9]+(-[a-z0-9]+)+$/);
});

Deno.test("replies.startInput has no enhanced code, as RFC 2034 section 3 wants", () => {
  assertEquals(
    text(replies.startInput),
    "354 Start mail input, end with <CRLF>.<CRLF>\r\n",
  );
});
