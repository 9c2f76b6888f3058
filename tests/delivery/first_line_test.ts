import { beginsWithHeader } from "../../delivery/first_line.ts";
import { assertEquals } from "../support/assert.ts";
import { latin1 } from "../support/session.ts";

const NAME = "x".repeat(997);

/** First lines, and what they are once they are whole. */
const LINES = [
  ["Subject: hello\r\n", true],
  ["X:\r\n", true],
  ["subject:hello\r\n", true],
  ["Subject : hello\r\n", true],
  ["Subject\t \t: hello\r\n", true],
  ["!#$%&'*+-/=?^_`{|}~: x\r\n", true],
  ["Note: the house is on fire\r\n", true],
  [`${NAME}: x\r\n`, true],
  ["\r\ntext\r\n", true],
  ["UPS on battery power\r\n", false],
  ["UPS: on battery power\r\n", true],
  ["Fire at 10:05\r\n", false],
  ["From ann@example.org Mon Jul 6 12:00:00 2026\r\n", false],
  [">From: ann\r\n", true],
  [" folded: no field\r\n", false],
  ["\ttab: no field\r\n", false],
  [": no name\r\n", false],
  ["\u00dcber: no ASCII\r\n", false],
  ["a\x7f: a control\r\n", false],
  ["a\0: a control\r\n", false],
  ["a\r\n: the next line\r\n", false],
  ["\rx", false],
  ["\n", false],
  [`${NAME}xx: too long\r\n`, false],
  [`${NAME} ${" ".repeat(9)}: too long\r\n`, false],
] as const;

Deno.test("beginsWithHeader() knows a field and an empty line from text", () => {
  for (const [line, expected] of LINES) {
    assertEquals(beginsWithHeader(latin1(line)), expected, line.slice(0, 60));
  }
});

Deno.test("beginsWithHeader() says the same of all that follows, once it can tell", () => {
  for (const [line, expected] of LINES) {
    const octets = latin1(line);
    let told: boolean | undefined;
    for (let length = 0; length <= octets.length; length++) {
      const now = beginsWithHeader(octets.subarray(0, length));
      if (told === undefined) told = now;
      assertEquals(now, told, `${length} octets of ${line.slice(0, 60)}`);
    }
    assertEquals(told, expected);
  }
});

Deno.test("beginsWithHeader() waits no longer than a line may be", () => {
  for (const octet of ["x", "\t"]) {
    const start = latin1(`x${octet.repeat(997)}`);
    assertEquals(beginsWithHeader(start.subarray(0, 997)), undefined);
    assertEquals(beginsWithHeader(start), false);
  }
  assertEquals(beginsWithHeader(latin1("")), undefined);
});
