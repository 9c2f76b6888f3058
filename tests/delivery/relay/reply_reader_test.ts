import { ReplyReader } from "../../../delivery/relay/reply_reader.ts";
import type { SmtpReply } from "../../../smtp/protocol/replies.ts";
import { assertEquals } from "../../support/assert.ts";
import { allStrings } from "../../support/fuzz.ts";
import { latin1 } from "../../support/session.ts";

/** All replies in a text that comes in pieces, and what ends them. */
function read(
  text: string,
  pieceSize: number = text.length,
): readonly (SmtpReply | "malformed")[] {
  const reader = new ReplyReader();
  const replies: (SmtpReply | "malformed")[] = [];
  for (let at = 0; at < text.length; at += pieceSize) {
    const piece = latin1(text.slice(at, at + pieceSize));
    reader.receive(piece);
    for (;;) {
      const reply = reader.next();
      if (reply === undefined) break;
      replies.push(reply);
      if (reply === "malformed") return replies;
    }
    // The next piece comes in the same place.
    piece.fill(0);
  }
  return replies;
}

const REPLIES = [
  ["250 Ok\r\n", [{ code: 250, text: "Ok" }]],
  ["250\r\n", [{ code: 250, text: "" }]],
  ["250 \r\n", [{ code: 250, text: "" }]],
  ["250 2.1.0 Ok\r\n", [{ code: 250, enhanced: "2.1.0", text: "Ok" }]],
  ["250 2.1.0\r\n", [{ code: 250, enhanced: "2.1.0", text: "" }]],
  ["550-5.1.1 No\r\n550-5.1.1\r\n550 5.1.1 user\r\n", [{
    code: 550,
    enhanced: "5.1.1",
    text: "No\n\nuser",
  }]],
  // Only the first line has it, or another one: nothing is taken away.
  ["550-5.1.1 No\r\n550 user 5.1.2\r\n", [{
    code: 550,
    enhanced: "5.1.1",
    text: "No\nuser 5.1.2",
  }]],
  // It says something else than the code: it is a text.
  ["550 2.0.0 Ok\r\n", [{ code: 550, text: "2.0.0 Ok" }]],
  ["550 5.1.1000 No\r\n", [{ code: 550, text: "5.1.1000 No" }]],
  ["550 5.1.1No\r\n", [{ code: 550, text: "5.1.1No" }]],
  ["250-a\r\n250-\r\n250 c\r\n", [{ code: 250, text: "a\n\nc" }]],
  ["250 a\r\n354 b\r\n", [{ code: 250, text: "a" }, { code: 354, text: "b" }]],
  ["421 gr\xfc\xdfe\0\x07\r\n", [{ code: 421, text: "gr??e??" }]],
  ["250-a\r\n", []],
  ["250 a", []],
  ["250 a\r", []],
] as const satisfies readonly (readonly [string, readonly SmtpReply[]])[];

const MALFORMED = [
  "250 a\n",
  "250 a\r250 b\r\n",
  "\n",
  "\r\n",
  "250_a\r\n",
  "25 a\r\n",
  "2500 a\r\n",
  "150 a\r\n",
  "650 a\r\n",
  "abc\r\n",
  " 250 a\r\n",
  "HTTP/1.1 400 Bad Request\r\n",
  "250-a\r\n251 b\r\n",
  "250-a\r\n\r\n",
  "250-a\r\nb\r\n",
] as const;

Deno.test("ReplyReader reads replies wherever packets end, and cleans their text", () => {
  for (const [text, replies] of REPLIES) {
    assertEquals(read(text), replies, JSON.stringify(text));
    assertEquals(read(text, 1), replies, JSON.stringify(text));
  }
});

Deno.test("ReplyReader takes nothing for a reply that is none", () => {
  for (const text of MALFORMED) {
    assertEquals(read(text), ["malformed"], JSON.stringify(text));
    assertEquals(read(text, 1), ["malformed"], JSON.stringify(text));
  }
});

Deno.test("ReplyReader takes lines of 4,096 octets and replies of 100 lines", () => {
  const longest = "x".repeat(4092);
  assertEquals(read(`250 ${longest}\r\n`, 100), [{ code: 250, text: longest }]);
  for (const pieceSize of [100, 5000]) {
    assertEquals(read(`250 ${longest}x\r\n`, pieceSize), ["malformed"]);
  }
  // The end of the line need not come for it to be too long.
  assertEquals(read("2".repeat(4097)), ["malformed"]);
  const lines = "250-x\r\n".repeat(99);
  const text = "x\n".repeat(99);
  assertEquals(read(`${lines}250 y\r\n`), [{ code: 250, text: `${text}y` }]);
  assertEquals(read(`${lines}250-x\r\n250 y\r\n`), ["malformed"]);
});

Deno.test("ReplyReader agrees with a pattern on all short texts", () => {
  // A whole text of replies, as RFC 5321 section 4.2 writes them, of one code.
  const whole = /^(?:(?:222-[2 -]*\r\n)*222(?: [2 -]*)?\r\n)*/;
  for (const start of ["222", "222 \r\n222", "222-\r\n222"]) {
    for (const rest of allStrings("\r\n2 -", 5)) {
      const text = start + rest;
      const [good = ""] = whole.exec(text) ?? [];
      const count = good.split("\r\n").filter((line) => line[3] !== "-").length;
      const replies = read(text, 1).filter((reply) => reply !== "malformed");
      assertEquals(replies.length, count - 1, JSON.stringify(text));
    }
  }
});

Deno.test("ReplyReader.isEmpty tells whether anything waits", () => {
  const reader = new ReplyReader();
  assertEquals(reader.isEmpty, true);
  reader.receive(latin1("250-a\r\n"));
  assertEquals(reader.isEmpty, false);
  assertEquals(reader.next(), undefined);
  assertEquals(reader.isEmpty, false);
  reader.receive(latin1("250 b\r\n2"));
  assertEquals(reader.next(), { code: 250, text: "a\nb" });
  assertEquals(reader.isEmpty, false);
});
