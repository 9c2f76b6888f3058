import { DotStuffer } from "../../../delivery/relay/dot_stuffer.ts";
import { DataReader } from "../../../smtp/protocol/data.ts";
import { assertEquals, assertStrictEquals } from "../../support/assert.ts";
import { allStrings } from "../../support/fuzz.ts";
import { latin1 } from "../../support/session.ts";

/** A message as it goes over the wire, stuffed in pieces of a size. */
function stuffed(message: string, pieceSize: number): string {
  const stuffer = new DotStuffer();
  let text = "";
  for (let at = 0; at < message.length; at += pieceSize) {
    const piece = latin1(message.slice(at, at + pieceSize));
    text += String.fromCharCode(...stuffer.stuff(piece));
  }
  return text + String.fromCharCode(...stuffer.end());
}

/** RFC 5321 section 4.5.2, in three lines. */
function reference(message: string): string {
  const dotted = `\r\n${message}`.replaceAll("\r\n.", "\r\n..").slice(2);
  return `\r\n${dotted}`.endsWith("\r\n")
    ? `${dotted}.\r\n`
    : `${dotted}\r\n.\r\n`;
}

Deno.test("DotStuffer stuffs all short messages as RFC 5321 says, in any pieces", () => {
  for (const message of allStrings("\r\n.x", 6)) {
    const expected = reference(message);
    for (const pieceSize of [1, 2, 3, 8]) {
      const actual = stuffed(message, pieceSize);
      if (actual !== expected) assertEquals(actual, expected, message);
    }
  }
});

Deno.test("DotStuffer and DataReader undo each other", () => {
  for (const message of allStrings("\r\n.x", 6)) {
    // A last line without its end gets one.
    const whole = /(?:^|\r\n)$/.test(message) ? message : `${message}\r\n`;
    const reader = new DataReader(1_000);
    const octets = latin1(stuffed(message, 3));
    const { length, used, ended } = reader.read(octets);
    assertEquals(ended, true, JSON.stringify(message));
    assertEquals(used, octets.length, JSON.stringify(message));
    assertEquals(String.fromCharCode(...octets.subarray(0, length)), whole);
  }
});

Deno.test("DotStuffer hands on a piece as it is where no dot is to be doubled", () => {
  const piece = latin1("a.b\r\nc\r\n");
  assertStrictEquals(new DotStuffer().stuff(piece), piece);
});
