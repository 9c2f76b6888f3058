import {
  type MailParameters,
  parseMail,
  parseRcpt,
} from "../../../smtp/protocol/params.ts";
import * as refusals from "../../../smtp/protocol/refusals.ts";
import { assertEquals } from "../../support/assert.ts";

function assertMail(
  args: string,
  sender: string,
  parameters: MailParameters = {},
): void {
  assertEquals(parseMail(args), { kind: "mail", sender, parameters }, args);
}

function assertMailRefused(args: string, name: keyof typeof refusals): void {
  const reply = refusals[name];
  assertEquals(parseMail(args), { kind: "error", reply }, args);
}

function assertRcptRefused(
  args: string,
  name: keyof typeof refusals,
  smtpUtf8: boolean = false,
): void {
  const reply = refusals[name];
  assertEquals(parseRcpt(args, smtpUtf8), { kind: "error", reply }, args);
}

/** Mailboxes as RFC 5321 section 4.1.2 has them, and what is close to it. */
const MAILBOXES = [
  "ann@example.org",
  "a@b",
  "Ann.B+tag@Example.ORG",
  "!#$%&'*+-/=?^_`{|}~@example.org",
  "ann@xn--exmple-cua.org",
  "ann@a-b.example",
  "ann@1.example",
  "ann@under_score.example",
  "ann@example.org.",
  "ann@[192.0.2.7]",
  "ann@[007.000.2.010]",
  "ann@[IPv6:2001:db8::1]",
  "ann@[ipv6:::FFFF:192.0.2.7]",
  '"ann b"@example.org',
  '""@example.org',
  '"a>b"@example.org',
  '"a\\"b\\\\"@example.org',
  '"a@b"@example.org',
  "a".repeat(64) + "@example.org",
] as const;

const NO_MAILBOXES = [
  "ann",
  "@example.org",
  "ann@",
  "ann@example..org",
  "ann@.example.org",
  "ann@-a.example",
  "ann@a-.example",
  "ann@example.org..",
  ".ann@example.org",
  "ann.@example.org",
  "a..b@example.org",
  "a b@example.org",
  "ann@exam ple.org",
  "ann@@example.org",
  "ann@b@example.org",
  "a<b@example.org",
  "a,b@example.org",
  "a:b@example.org",
  "a(b)@example.org",
  "ann@[]",
  "ann@[192.0.2.7",
  "ann@[192.0.2]",
  "ann@[192.0.2.256]",
  "ann@[192.0.2.0007]",
  "ann@[2001:db8::1]",
  "ann@[IPv6:192.0.2.7]",
  "ann@[IPv6:2001::db8::1]",
  "ann@[IPv6:fe80::1%eth0]",
  "ann@[IPv6:]",
  "ann@[example.org]",
  "ann@[X:example]",
  "ann@[192 0 2 7]",
  "ann@192.0.2.7]",
  'a"b"@example.org',
  '"a"b@example.org',
  '"a\tb"@example.org',
  '"a\\\u00e4"@example.org',
  "a\x01b@example.org",
  "a\x7fb@example.org",
  "a\u0085b@example.org",
  "a\ufffdb@example.org",
  "ann@ex\ufffdmple.org",
] as const;

Deno.test("parseMail() and parseRcpt() take mailboxes as they are", () => {
  for (const mailbox of MAILBOXES) {
    assertMail(`FROM:<${mailbox}>`, mailbox);
    assertEquals(parseRcpt(`TO:<${mailbox}>`, false), {
      kind: "rcpt",
      recipient: mailbox,
    });
  }
});

Deno.test("parseMail() and parseRcpt() refuse what is no mailbox", () => {
  for (const address of NO_MAILBOXES) {
    assertMailRefused(`FROM:<${address}> SMTPUTF8`, "badSender");
    assertRcptRefused(`TO:<${address}>`, "badRecipient", true);
  }
});

Deno.test("parseMail() refuses a path whose quoted string does not end", () => {
  assertMailRefused('FROM:<"ann@example.org>', "mailSyntax");
  assertRcptRefused('TO:<"ann@example.org>', "rcptSyntax");
  assertMailRefused('FROM:<"ann\\"@example.org>', "mailSyntax");
});

Deno.test("parseMail() takes the empty path, parseRcpt() does not", () => {
  assertMail("FROM:<>", "");
  assertRcptRefused("TO:<>", "badRecipient");
});

Deno.test("parseRcpt() takes postmaster without a domain, parseMail() does not", () => {
  for (const recipient of ["postmaster", "Postmaster", "POSTMASTER"]) {
    assertEquals(parseRcpt(`TO:<${recipient}>`, false), {
      kind: "rcpt",
      recipient,
    });
    assertMailRefused(`FROM:<${recipient}>`, "badSender");
  }
  assertRcptRefused("TO:<postma\u017fter>", "badRecipient", true);
});

Deno.test("parseMail() and parseRcpt() take a keyword in any case, and spaces behind it", () => {
  for (const start of ["FROM:", "from:", "From:", "FROM: ", "FROM:  "]) {
    assertMail(`${start}<ann@example.org>`, "ann@example.org");
  }
  for (const start of ["TO:", "to:", "To:", "TO: "]) {
    assertEquals(parseRcpt(`${start}<bob@example.net>`, false), {
      kind: "rcpt",
      recipient: "bob@example.net",
    });
  }
});

Deno.test("parseMail() and parseRcpt() refuse other syntax", () => {
  const paths = [
    "",
    "<ann@example.org>",
    "FROM",
    "FROM <ann@example.org>",
    "FROM :<ann@example.org>",
    "FROM:",
    "FROM:ann@example.org",
    "FROM:<ann@example.org",
    "FROM:ann@example.org>",
    "FROM:<ann@example.org>SIZE=1",
    "FROM:<ann@example.org>\tSIZE=1",
    "FROM:<ann@example.org>>",
    "FROM:Ann <ann@example.org>",
    "XFROM:<ann@example.org>",
  ];
  for (const args of paths) {
    assertMailRefused(args, "mailSyntax");
    assertRcptRefused(args.replace("FROM", "TO"), "rcptSyntax");
  }
  assertMailRefused("TO:<ann@example.org>", "mailSyntax");
  assertRcptRefused("FROM:<bob@example.net>", "rcptSyntax");
});

Deno.test("parseMail() and parseRcpt() ignore a source route", () => {
  const route = "@a.example,@[192.0.2.1]:";
  assertMail(`FROM:<${route}ann@example.org>`, "ann@example.org");
  assertEquals(parseRcpt(`TO:<${route}bob@example.net>`, false), {
    kind: "rcpt",
    recipient: "bob@example.net",
  });
  for (const bad of ["@a.example", "@:", "@a.example,b.example:", "a:"]) {
    assertMailRefused(`FROM:<${bad}ann@example.org>`, "badSender");
  }
});

Deno.test("parseMail() and parseRcpt() take paths of 256 octets and none longer", () => {
  const most = `${"a".repeat(64)}@${"b".repeat(187)}.c`.slice(-254);
  assertEquals(`<${most}>`.length, 256);
  assertMail(`FROM:<${most}>`, most);
  assertMailRefused(`FROM:<x${most}>`, "badSender");
  assertEquals(parseRcpt(`TO:<${most}>`, false).kind, "rcpt");
  assertRcptRefused(`TO:<x${most}>`, "badRecipient");
  // Octets, not characters.
  const wide = `\u00e4${most.slice(2)}`;
  assertMail(`FROM:<${wide}> SMTPUTF8`, wide, { smtpUtf8: true });
  assertMailRefused(`FROM:<\u00e4${most.slice(1)}> SMTPUTF8`, "badSender");
});

Deno.test("parseMail() wants SMTPUTF8 for a sender that is not ASCII", () => {
  for (const sender of ["\u00e4@example.org", "ann@ex\u00e4mple.org"]) {
    assertMailRefused(`FROM:<${sender}>`, "needsSmtpUtf8");
    assertMailRefused(`FROM:<${sender}> BODY=8BITMIME`, "needsSmtpUtf8");
    assertMail(`FROM:<${sender}> SMTPUTF8`, sender, { smtpUtf8: true });
  }
});

Deno.test("parseRcpt() wants SMTPUTF8 for a recipient that is not ASCII", () => {
  const recipient = "\u{1f431}@ex\u00e4mple.org";
  assertRcptRefused(`TO:<${recipient}>`, "needsSmtpUtf8");
  assertEquals(parseRcpt(`TO:<${recipient}>`, true), {
    kind: "rcpt",
    recipient,
  });
});

Deno.test("parseRcpt() knows no parameter", () => {
  for (const rest of ["NOTIFY=NEVER", "ORCPT=rfc822;bob@example.net", "X"]) {
    assertRcptRefused(`TO:<bob@example.net> ${rest}`, "unknownParameter");
  }
  assertEquals(parseRcpt("TO:<bob@example.net>  ", false).kind, "rcpt");
});

Deno.test("parseMail() reads the parameters, names and keywords in any case", () => {
  const rows = [
    ["", {}],
    ["SIZE=0", { size: 0 }],
    ["size=1595", { size: 1595 }],
    ["SIZE=00000000000000000001", { size: 1 }],
    ["SIZE=99999999999999999999", { size: 1e20 }],
    ["BODY=7BIT", { body: "7BIT" }],
    ["Body=8bitMime", { body: "8BITMIME" }],
    ["SMTPUTF8", { smtpUtf8: true }],
    ["smtpUtf8", { smtpUtf8: true }],
    ["AUTH=<>", { auth: "<>" }],
    ["AUTH=a+2Bb@example.org", { auth: "a+2Bb@example.org" }],
    ["auth=a+2bb+3dc@example.org", { auth: "a+2bb+3dc@example.org" }],
    // As curl sends it: no xtext.
    ["AUTH=<a+b=c@example.org>", { auth: "<a+b=c@example.org>" }],
    ["AUTH=\u00e4@example.org", { auth: "\u00e4@example.org" }],
    ["SIZE=1  AUTH=<>   BODY=7BIT SMTPUTF8 ", {
      size: 1,
      auth: "<>",
      body: "7BIT",
      smtpUtf8: true,
    }],
  ] as const;
  for (const [params, expected] of rows) {
    assertMail(`FROM:<a@b> ${params}`, "a@b", expected);
  }
});

Deno.test("parseMail() refuses bad values", () => {
  const params = [
    "SIZE",
    "SIZE=",
    "SIZE=x",
    "SIZE=-1",
    "SIZE=+1",
    "SIZE=1.5",
    "SIZE=1e3",
    "SIZE=0x10",
    "SIZE=\u0661",
    `SIZE=${"1".repeat(21)}`,
    "BODY",
    "BODY=",
    "BODY=8BIT",
    "BODY=BINARYMIME",
    "SMTPUTF8=",
    "SMTPUTF8=1",
    "AUTH",
    "AUTH=",
    "AUTH=a\x01",
    "AUTH=a\x7f",
    "AUTH=a\tb",
    "AUTH=a\u0085b",
    "AUTH=a\u00a0b",
    "AUTH=a\u2028b",
    "SIZE=1 SIZE=1",
    "SIZE=1 size=2",
    "SMTPUTF8 SMTPUTF8",
    "AUTH=<> BODY=7BIT auth=<>",
  ];
  for (const param of params) {
    assertMailRefused(`FROM:<a@b> ${param}`, "badParameter");
  }
});

Deno.test("parseMail() refuses parameters that it does not know", () => {
  const params = [
    "RET=FULL",
    "ENVID=x",
    "BY=120;R",
    "X",
    "=1",
    "SIZES=1",
    "SMTPUTF-8",
    "FOO=\x01",
  ];
  for (const param of params) {
    assertMailRefused(`FROM:<a@b> ${param}`, "unknownParameter");
  }
});

Deno.test("parseMail() says what is wrong in the client's order", () => {
  assertMailRefused("FROM:<a> SIZE=x", "badSender");
  assertMailRefused("FROM:<a@b> SIZE=x RET=FULL", "badParameter");
  assertMailRefused("FROM:<a@b> RET=FULL SIZE=x", "unknownParameter");
  assertMailRefused("FROM:<\u00e4@b> RET=FULL", "unknownParameter");
});

Deno.test("parseMail() takes no letter but ASCII's for a parameter name's", () => {
  // toUpperCase() makes them SIZE, SMTPUTF8 and BODY=7BIT.
  assertMailRefused("FROM:<a@b> \u017fize=1", "unknownParameter");
  assertMailRefused("FROM:<a@b> \u017fmtputf8", "unknownParameter");
  assertMailRefused("FROM:<a@b> BODY=7b\u0131t", "badParameter");
});
