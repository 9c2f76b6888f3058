import {
  type Command,
  lineText,
  parseCommand,
  words,
} from "../../../smtp/protocol/commands.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { octetsOf } from "../../support/octets.ts";
import { latin1 } from "../../support/session.ts";
import { VERBS } from "../../support/verbs.ts";

function parse(line: string): Command {
  return parseCommand(octetsOf(line));
}

Deno.test("parseCommand() knows its verbs in any letter case", () => {
  for (const verb of VERBS) {
    const lower = verb.toLowerCase();
    const mixed = lower.slice(0, 1) + verb.slice(1);
    for (const word of [verb, lower, mixed]) {
      assertEquals(parse(word), { kind: "command", verb, args: "" });
    }
  }
});

Deno.test("parseCommand() gives the text behind the verb as it is", () => {
  const rows = [
    ["NOOP x", "x"],
    ["NOOP   x  y", "x  y"],
    ["NOOP x  ", "x"],
    ["NOOP x \t \t", "x"],
    ["NOOP ", ""],
    ["NOOP  \t ", ""],
    ["NOOP\t", ""],
    ["NOOP \tx", "\tx"],
    ["NOOP Grüße", "Grüße"],
    ["NOOP x\u00a0", "x\u00a0"],
    ["NOOP \x01\x7f", "\x01\x7f"],
  ] as const;
  for (const [line, args] of rows) {
    assertEquals(parse(line), { kind: "command", verb: "NOOP", args }, line);
  }
});

Deno.test("parseCommand() knows no other words", () => {
  const lines = [
    "",
    " ",
    "\t",
    " NOOP",
    "NOO",
    "NOOPX",
    "NOOP\tx",
    "NOOP:x",
    "STARTTL",
    "STARTTLSX",
    "BDAT 5",
    "XCLIENT ADDR=192.0.2.1",
    // What toUpperCase() would make HELP, RSET and QUIT.
    "HELP\u0131",
    "R\u017fET",
    "QU\u0131T",
  ];
  for (const line of lines) {
    assertEquals(parse(line), { kind: "unknown" }, JSON.stringify(line));
  }
});

Deno.test("parseCommand() refuses CR, LF and NUL anywhere in a line", () => {
  for (const octet of ["\r", "\n", "\0"]) {
    for (const line of ["NOOP", "NOOP x", "XYZ", "GET / HTTP/1.1", ""]) {
      for (let at = 0; at <= line.length; at++) {
        const bad = line.slice(0, at) + octet + line.slice(at);
        assertEquals(parse(bad), { kind: "malformed" }, JSON.stringify(bad));
      }
    }
  }
});

Deno.test("parseCommand() knows an HTTP request line", () => {
  const requests = [
    "GET / HTTP/1.1",
    "GET / HTTP/1.0  ",
    "POST /a?b=c HTTP/1.1",
    "OPTIONS * HTTP/1.1",
    "CONNECT mail.example.org:25 HTTP/1.1",
    "PRI * HTTP/2.0",
    "GET http://mail.example.org/ HTTP/1.1",
    "PROPFIND / HTTP/2",
  ];
  for (const line of requests) assertEquals(parse(line), { kind: "http" });
  const others = [
    "GET /",
    "GET / HTTP/",
    "GET / HTTPS/1.1",
    "GET /a b HTTP/1.1",
    "get / HTTP/1.1",
    "X GET / HTTP/1.1",
    "GET  / HTTP/1.1",
    "Host: mail.example.org HTTP/1.1",
  ];
  for (const line of others) {
    assertEquals(parse(line), { kind: "unknown" }, line);
  }
});

Deno.test("parseCommand() takes a verb that is known for no HTTP request", () => {
  assertEquals(parse("HELP / HTTP/1.1"), {
    kind: "command",
    verb: "HELP",
    args: "/ HTTP/1.1",
  });
});

Deno.test("parseCommand() takes no longer for 12,288 spaces than for text", () => {
  const began = performance.now();
  for (let i = 0; i < 100; i++) {
    parse(`NOOP${" ".repeat(12_283)}x`);
    parse(`NOOP x${" ".repeat(12_282)}`);
  }
  // Quadratic time would be over ten seconds.
  assert(performance.now() - began < 2_000);
});

Deno.test("lineText() gives ASCII and UTF-8 as they are", () => {
  const ascii = String.fromCharCode(...Array(128).keys());
  assertEquals(lineText(latin1(ascii)), ascii);
  for (const text of ["", "ä", "x\u20acy", "\u{1f431}", "\ufeffx"]) {
    assertEquals(lineText(octetsOf(text)), text);
  }
});

Deno.test("lineText() shows what is not UTF-8 as U+FFFD", () => {
  const rows = [
    ["x\xe4y", "x\ufffdy"],
    ["\xff", "\ufffd"],
    // NUL and the dot in two octets, as only an attacker writes them.
    ["\xc0\x80", "\ufffd\ufffd"],
    ["\xc0\xae", "\ufffd\ufffd"],
    ["\xed\xa0\x80", "\ufffd\ufffd\ufffd"],
  ] as const;
  for (const [octets, text] of rows) {
    assertEquals(lineText(latin1(octets)), text);
  }
});

Deno.test("words() splits at runs of spaces and at nothing else", () => {
  const rows = [
    ["", []],
    ["  ", []],
    ["PLAIN", ["PLAIN"]],
    [" PLAIN   abc ", ["PLAIN", "abc"]],
    ["a\tb c\u00a0d", ["a\tb", "c\u00a0d"]],
  ] as const;
  for (const [args, expected] of rows) assertEquals(words(args), [...expected]);
});
