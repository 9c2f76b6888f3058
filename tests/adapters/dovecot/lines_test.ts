import {
  escapeField,
  formatLine,
  MAX_LINE_OCTETS,
  newLineReader,
  readFields,
  readId,
  unescapeField,
} from "../../../adapters/dovecot/lines.ts";
import { assertEquals } from "../../support/assert.ts";
import { allStrings } from "../../support/fuzz.ts";

const encoder = new TextEncoder();

Deno.test("escapeField() and unescapeField() are inverse", () => {
  assertEquals(escapeField("a\0\x01\t\r\nb"), "a\x010\x011\x01t\x01r\x01nb");
  for (const text of allStrings("\0\x01\t\r\n0tä", 4)) {
    const escaped = escapeField(text);
    assertEquals(/[\0\t\r\n]/.test(escaped), false);
    assertEquals(unescapeField(escaped), text);
  }
});

Deno.test("unescapeField() takes an unknown escape for the letter", () => {
  assertEquals(unescapeField("\x01x\x01"), "x");
});

Deno.test("formatLine() puts tabs between fields and LF behind them", () => {
  assertEquals(formatLine("OK", "1", "user=a\tb"), "OK\t1\tuser=a\x01tb\n");
});

Deno.test("newLineReader() gives the same lines however they arrive", () => {
  const text = "VERSION\t1\t0\nCPID\t7\n\nAUTH\t1\tPLAIN\tresp=ä\nrest";
  const octets = encoder.encode(text);
  const expected = text.split("\n").slice(0, -1)
    .map((text) => ({ text, tooLong: false }));
  for (let size = 1; size <= octets.length; size++) {
    const read = newLineReader();
    const lines = [];
    for (let at = 0; at < octets.length; at += size) {
      lines.push(...read(octets.subarray(at, at + size)));
    }
    assertEquals(lines, expected);
  }
});

Deno.test("newLineReader() keeps the beginning of a line that is too long", () => {
  for (const size of [1, 7, 4096, 100_000]) {
    const long = encoder.encode(
      `AUTH\t1\t${"x".repeat(MAX_LINE_OCTETS)}\nCPID\t1\n`,
    );
    const read = newLineReader();
    const lines = [];
    for (let at = 0; at < long.length; at += size) {
      lines.push(...read(long.subarray(at, at + size)));
    }
    assertEquals(lines, [
      { text: `AUTH\t1\t${"x".repeat(57)}`, tooLong: true },
      { text: "CPID\t1", tooLong: false },
    ]);
  }
});

Deno.test("newLineReader() takes a line of just the limit", () => {
  for (const [length, tooLong] of [[10, false], [11, true]] as const) {
    const read = newLineReader(10);
    const [line] = read(encoder.encode("x".repeat(length) + "\n"));
    assertEquals(line?.tooLong, tooLong);
  }
});

Deno.test("readId() takes 32-bit numbers but 0", () => {
  const rows = [
    ["1", 1],
    ["4294967295", 4294967295],
    ["4294967296", undefined],
    ["0", undefined],
    ["01", undefined],
    ["-1", undefined],
    ["1.0", undefined],
    ["", undefined],
    ["x", undefined],
    [undefined, undefined],
  ] as const;
  for (const [field, id] of rows) assertEquals(readId(field), id);
});

Deno.test("readFields() reads names with and without values", () => {
  assertEquals(
    [...readFields(["user=a=b", "nologin", "rip=::1", "user=c", "x=\x01t"])],
    [["user", "a=b"], ["nologin", ""], ["rip", "::1"], ["x", "\t"]],
  );
});
