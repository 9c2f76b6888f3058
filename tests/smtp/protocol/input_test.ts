import { Input, TOO_LONG } from "../../../smtp/protocol/input.ts";
import {
  assert,
  assertEquals,
  assertNotStrictEquals,
} from "../../support/assert.ts";
import { allStrings } from "../../support/fuzz.ts";
import { newRandom } from "../../support/random.ts";
import { latin1, textOf } from "../../support/session.ts";

/** What a read of any number of octets does. */
function receive(input: Input, octets: Uint8Array | string): void {
  const whole = typeof octets === "string" ? latin1(octets) : octets;
  for (let at = 0; at < whole.length;) {
    const space = input.space();
    assert(space.length > 0, "there is room for a read");
    const piece = whole.subarray(at, at + space.length);
    space.set(piece);
    input.filled(piece.length);
    at += piece.length;
  }
}

/** Takes all lines that are there; `!` stands for one that is too long. */
function takeLines(input: Input, limit: number): string[] {
  const lines: string[] = [];
  while (input.atLine()) {
    const line = input.readLine(limit);
    if (line === undefined) break;
    lines.push(line === TOO_LONG ? "!" : textOf(line));
  }
  return lines;
}

/** All that comes of pieces. */
function linesOf(pieces: Iterable<string>, limit: number): string[] {
  const input = new Input();
  const lines: string[] = [];
  for (const piece of pieces) {
    receive(input, piece);
    lines.push(...takeLines(input, limit));
    assert(input.length <= limit + 1, "no more than a line is kept");
  }
  return lines;
}

/** What must come of it. */
function reference(text: string, limit: number): string[] {
  const lines = text.split("\r\n");
  const last = lines.pop() ?? "";
  // Behind the limit a CR may still be the beginning of CRLF.
  const over = last.replace(/\r$/, "").length > limit ||
    last.length > limit + 1;
  return [...lines, ...(over ? [last] : [])]
    .map((line) => line.length > limit ? "!" : line);
}

Deno.test("Input.readLine() takes CRLF lines out of any short input", () => {
  for (const text of allStrings("\r\nx", 8)) {
    for (const limit of [0, 1, 2, 5]) {
      const expected = reference(text, limit);
      const whole = linesOf([text], limit);
      const octets = linesOf(text, limit);
      const what = `${JSON.stringify(text)}, limit ${limit}`;
      if (whole.join() !== expected.join()) assertEquals(whole, expected, what);
      if (octets.join() !== expected.join()) {
        assertEquals(octets, expected, what);
      }
    }
  }
});

Deno.test("Input.readLine() takes the same lines wherever the input is split", () => {
  for (const text of allStrings("\r\nx", 6)) {
    const expected = reference(text, 2).join();
    for (let at = 1; at < text.length; at++) {
      const lines = linesOf([text.slice(0, at), text.slice(at)], 2);
      assertEquals(lines.join(), expected, `${JSON.stringify(text)} at ${at}`);
    }
  }
});

Deno.test("Input.readLine() takes a line of the limit and none over it", () => {
  for (const limit of [4096, 12_288]) {
    const line = "x".repeat(limit);
    assertEquals(linesOf([`${line}\r\n`], limit), [line]);
    assertEquals(linesOf([`${line}\r`, "\n"], limit), [line]);
    assertEquals(linesOf([line, "\r\n"], limit), [line]);
    assertEquals(linesOf([`${line}x\r\nnext\r\n`], limit), ["!", "next"]);
    assertEquals(linesOf([`${line}\r\r\nnext\r\n`], limit), ["!", "next"]);
    assertEquals(linesOf([`${line}x`, "\r\n", "next\r\n"], limit), [
      "!",
      "next",
    ]);
  }
});

Deno.test("Input.readLine() finds the CRLF of a line that had to be moved", () => {
  // Lines in front of one that fills the buffer, and grows it or not.
  for (const before of [1, 5, 100, 510, 512, 600, 1000]) {
    const input = new Input();
    const line = "x".repeat(1024 - before - 2);
    receive(input, `${"y".repeat(before)}\r\n${line}`);
    assertEquals(takeLines(input, 4096), ["y".repeat(before)]);
    receive(input, "\r\nz\r\n");
    assertEquals(takeLines(input, 4096), [line, "z"], `${before} before`);
  }
});

Deno.test("Input.readLine() obeys the limit of each call", () => {
  const input = new Input();
  receive(input, "abc\r\nabc\r\n");
  assertEquals(input.readLine(2), TOO_LONG);
  const line = input.readLine(3);
  assertEquals(line instanceof Uint8Array ? textOf(line) : line, "abc");
  receive(input, "abc");
  assertEquals(input.readLine(3), undefined);
  assertEquals(input.readLine(2), TOO_LONG);
});

Deno.test("Input.readLine() says once that a line is too long, and before its end", () => {
  const input = new Input();
  receive(input, "xxxx");
  assertEquals(input.readLine(3), TOO_LONG);
  assertEquals(input.length, 0);
  for (const part of ["", "yyyy", "y\r", "y\n", "y\r"]) {
    receive(input, part);
    assertEquals(input.atLine(), false, part);
  }
  receive(input, "\nnext\r\n");
  assertEquals(input.atLine(), true);
  assertEquals(takeLines(input, 10), ["next"]);
});

Deno.test("Input keeps 10 MB without CRLF in the space of one line", () => {
  for (const limit of [4096, 12_288]) {
    const input = new Input();
    const piece = new Uint8Array(16_384).fill(120);
    let tooLong = 0;
    let most = 0;
    let buffer = 0;
    for (let sent = 0; sent < 10_000_000; sent += piece.length) {
      receive(input, piece);
      tooLong += takeLines(input, limit).length;
      most = Math.max(most, input.length);
      buffer = Math.max(buffer, input.space().buffer.byteLength);
      input.filled(0);
    }
    assertEquals(tooLong, 1);
    assertEquals(most, 0);
    assert(buffer <= 16_384, `${buffer}`);
  }
});

/** Reads as long as there is room; the largest buffer that was read into. */
function flood(input: Input): number {
  let buffer = 0;
  while (input.hasRoom) {
    const space = input.space();
    buffer = Math.max(buffer, space.buffer.byteLength);
    input.filled(space.length);
  }
  return buffer;
}

Deno.test("Input keeps 16,384 octets of what a client sends ahead", () => {
  const input = new Input();
  assertEquals(flood(input), 16_384);
  assertEquals(input.length, 16_384);
});

Deno.test("Input keeps 16,384 octets sent ahead behind a line that was taken", () => {
  const input = new Input();
  flood(input);
  // As a long AUTH: what follows waits until a provider has decided.
  input.take(100);
  const buffer = flood(input);
  assert(buffer <= 16_384, `${buffer} octets of buffer`);
  assert(input.length <= 16_384, `${input.length} octets wait`);
});

Deno.test("Input.hasRoom ends at 16,384 octets that wait and comes back", () => {
  const input = new Input();
  receive(input, "x".repeat(16_383));
  assertEquals(input.hasRoom, true);
  receive(input, "x");
  assertEquals(input.hasRoom, false);
  input.take(1);
  assertEquals(input.hasRoom, true);
  assertEquals(input.length, 16_383);
});

Deno.test("Input.space() is small while nothing waits, and small again", () => {
  const input = new Input();
  assertEquals(input.space().length, 1024);
  input.filled(1024);
  input.take(1024);
  for (let i = 0; i < 10; i++) {
    const { length } = input.space();
    input.filled(length);
    input.take(length);
  }
  assertEquals(input.space().length, 16_384);
  for (let i = 0; i < 10; i++) {
    input.filled(1);
    input.take(1);
    input.space();
  }
  assert(input.space().length <= 4096, `${input.space().length}`);
});

/** Reads as much as it can, and takes all of it: how much it was at last. */
function readOn(input: Input): number {
  let octets = 0;
  for (let i = 0; i < 10; i++) {
    octets = input.space().length;
    input.filled(octets);
    input.take(octets);
  }
  return octets;
}

Deno.test("Input.expectMessage() has room for a small message in one read", () => {
  const input = new Input();
  receive(input, "DATA\r\n");
  input.take(6);
  input.expectMessage();
  assertEquals(input.space().length, 4096);
  input.filled(0);
  readOn(input);
  input.expectMessage();
  assertEquals(input.space().length, 16_384);
});

Deno.test("Input.grow() allows large buffers, and Input.shrink() ends that", () => {
  const input = new Input();
  assertEquals(readOn(input), 16_384);
  input.grow();
  assertEquals(readOn(input), 262_144);
  input.shrink();
  assertEquals(readOn(input), 16_384);
});

Deno.test("Input.shrink() gives all of a large buffer back, and begins small", () => {
  const input = new Input();
  readOn(input);
  input.grow();
  const large = input.space();
  assertEquals(large.length, 262_144);
  input.filled(1);
  input.take(1);
  input.shrink();
  assertEquals(large.length, 0);
  assertEquals(input.space().length, 1024);
});

Deno.test("Input frees a buffer that another takes the place of, with what waits in it", () => {
  const input = new Input();
  const small = input.space();
  const text = "x".repeat(small.length);
  small.set(latin1(text));
  input.filled(small.length);
  assertEquals(input.space().length, 3 * 1024);
  assertEquals(small.length, 0);
  input.filled(0);
  assertEquals(textOf(input.peek()), text);
});

Deno.test("Input.shrink() loses nothing of what waits", () => {
  const input = new Input();
  input.grow();
  readOn(input);
  const text = "x".repeat(100_000);
  receive(input, text);
  input.shrink();
  receive(input, "y");
  assert(textOf(input.peek()) === `${text}y`);
});

Deno.test("Input loses and changes no octet, however it is read", () => {
  const octetAt = (position: number) => (position * 7 + (position >> 8)) & 255;
  const random = newRandom(1);
  const input = new Input();
  let sent = 0;
  let taken = 0;
  for (let i = 0; i < 500; i++) {
    if (input.hasRoom) {
      const space = input.space();
      // Now and then a read that fills the space, mostly a smaller one.
      const count = random(4) === 0 ? space.length : random(space.length + 1);
      for (let j = 0; j < count; j++) space[j] = octetAt(sent + j);
      sent += count;
      input.filled(count);
    }
    const piece = input.peek().subarray(0, random(input.length + 1));
    input.take(piece.length);
    const octets = random(2) === 0 ? piece : input.own(piece);
    const wrong = octets.findIndex((octet, j) => octet !== octetAt(taken + j));
    assertEquals(wrong, -1, `behind octet ${taken}`);
    taken += octets.length;
    assertEquals(input.length, sent - taken);
  }
  assert(taken > 1_000_000, `${taken}`);
});

Deno.test("Input.peek() shows what waits, changes in place included", () => {
  const input = new Input();
  assertEquals(input.peek().length, 0);
  receive(input, "abc\r\nrest");
  assertEquals(takeLines(input, 10), ["abc"]);
  assertEquals(textOf(input.peek()), "rest");
  input.peek().set(latin1("REST"));
  input.take(1);
  assertEquals(textOf(input.peek()), "EST");
});

Deno.test("Input.take() puts the front behind CR: its LF ends no line", () => {
  const input = new Input();
  receive(input, "x\r\n\r\n");
  input.take(2);
  assertEquals(takeLines(input, 10), ["\n"]);
});

Deno.test("Input.startsWith() takes letters in any case, and all of them", () => {
  const rows = [
    ["AUTH", true],
    ["auth plain\r\n", true],
    ["aUtHor", true],
    ["AUT", false],
    ["", false],
    ["XAUTH", false],
    [" AUTH", false],
    ["AU\x14H", false],
    ["\xe1uth", false],
  ] as const;
  for (const [text, expected] of rows) {
    const input = new Input();
    receive(input, `xx${text}`);
    input.take(2);
    assertEquals(input.startsWith("AUTH"), expected, text);
  }
});

Deno.test("Input.own() gives pieces that no later input changes", () => {
  for (const size of [1, 100, 4095, 4096, 20_000]) {
    for (const behind of [0, 10]) {
      const input = new Input();
      receive(input, "a".repeat(size) + "b".repeat(behind));
      const piece = input.peek().subarray(0, size);
      input.take(size);
      const owned = input.own(piece);
      for (let i = 0; i < 50; i++) {
        input.space().fill(99);
        input.filled(input.space().length);
        if (!input.hasRoom) input.take(input.length);
      }
      const what = `${size} octets and ${behind} behind them`;
      assert(textOf(owned) === "a".repeat(size), what);
    }
  }
});

Deno.test("Input.own() copies while a read is under way", () => {
  const input = new Input();
  receive(input, "a".repeat(8_000));
  const space = input.space();
  const piece = input.peek();
  input.take(8_000);
  const owned = input.own(piece);
  assertNotStrictEquals(owned.buffer, space.buffer);
  space.set(latin1("late"));
  input.filled(4);
  assertEquals(textOf(input.peek()), "late");
  assert(textOf(owned) === "a".repeat(8_000));
});

Deno.test("Input.release() hands the buffer on, with nothing in it", () => {
  const first = new Input();
  receive(first, "AUTH PLAIN secret");
  const buffer = first.peek().buffer;
  first.release();
  assertEquals(first.length, 0);
  const space = new Input().space();
  assert(space.buffer === buffer, "the buffer is used again");
  assertEquals(space.every((octet) => octet === 0), true);
});

Deno.test("Input.release() keeps a buffer that a read may still write into", () => {
  const first = new Input();
  const lent = first.space();
  first.release();
  assertNotStrictEquals(new Input().space().buffer, lent.buffer);
});

Deno.test("Input.release() gives no buffer away twice, and works on", () => {
  const first = new Input();
  receive(first, "QUIT\r\n");
  first.release();
  first.release();
  const spaces = [new Input().space(), new Input().space(), first.space()];
  assertEquals(new Set(spaces.map(({ buffer }) => buffer)).size, 3);
});
