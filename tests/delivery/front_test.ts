import { Front } from "../../delivery/front.ts";
import { assertEquals } from "../support/assert.ts";
import { latin1 } from "../support/session.ts";

/** A message behind a line of ours, in pieces of a size. */
function fronted(message: string, pieceSize: number): string {
  const front = new Front(latin1("Ours: x\r\n"));
  let text = "";
  const take = (pieces: readonly Uint8Array[]) => {
    for (const piece of pieces) text += String.fromCharCode(...piece);
  };
  for (let at = 0; at < message.length; at += pieceSize) {
    const piece = latin1(message.slice(at, at + pieceSize));
    take(front.push(piece));
    // Nothing of it is kept.
    piece.fill(0);
  }
  take(front.end());
  return text;
}

Deno.test("Front puts an empty line between only where the message has no header", () => {
  for (
    const [message, between] of [
      ["", ""],
      ["Subject: x\r\n\r\ntext\r\n", ""],
      ["Subject : x\r\n", ""],
      ["\r\ntext\r\n", ""],
      ["UPS on battery power\r\n", "\r\n"],
      ["text", "\r\n"],
      ["\r", "\r\n"],
      [`${"x".repeat(2000)}: y\r\n`, "\r\n"],
    ] as const
  ) {
    for (const pieceSize of [1, 2, 5, 4000]) {
      assertEquals(
        fronted(message, pieceSize),
        `Ours: x\r\n${between}${message}`,
      );
    }
  }
});
