/**
 * Input that nobody wrote: all short strings, and random conversations.
 *
 * @module
 */

import { newRandom, pick } from "./random.ts";
import { latin1 } from "./session.ts";

/** All strings over the letters up to a length, the empty one first. */
export function* allStrings(
  letters: string,
  maxLength: number,
): Generator<string> {
  let shorter = [""];
  yield "";
  for (let length = 1; length <= maxLength; length++) {
    const strings = shorter.flatMap((start) =>
      [...letters].map((letter) => start + letter)
    );
    yield* strings;
    shorter = strings;
  }
}

/** What random octets are folded into: mostly what SMTP is written in. */
const ALPHABET = [
  ...'\r\n\r\n\r\n..  \t\0*==<>@:+/-[]"\\\x7f\x80\xc3\xa4\xff05AaLlOoPpTtUuxX',
];

/** Base64 of NUL ann NUL secret, of its parts, and of what is refused. */
const RESPONSES = [
  "AGFubgBzZWNyZXQ=",
  "AGFubgB3cm9uZw==",
  "AGRvd24AeA==",
  "YW5u",
  "c2VjcmV0",
  "AOQAeA==",
  "*",
  "=",
  "",
] as const;

/** Pieces of conversations; the doubled ones are what leads deeper. */
const FRAGMENTS: readonly string[] = [
  "EHLO client.example.net\r\n",
  "EHLO client.example.net\r\n",
  "HELO client.example.net\r\n",
  "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n",
  "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n",
  "AUTH LOGIN\r\nYW5u\r\nc2VjcmV0\r\n",
  "AUTH PLAIN\r\n",
  "AUTH LOGIN\r\n",
  "AUTH ",
  "STARTTLS\r\n",
  "MAIL FROM:<ann@example.org>\r\n",
  "MAIL FROM:<ann@example.org>\r\n",
  "MAIL FROM:<> SIZE=10 BODY=8BITMIME SMTPUTF8 AUTH=<>\r\n",
  "RCPT TO:<bob@example.net>\r\n",
  "RCPT TO:<bob@example.net>\r\n",
  "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nhello\r\n.\r\n",
  "MAIL FROM:<a@b> RET=FULL\r\n",
  "DATA\r\n",
  "DATA\r\n",
  "DATA\r\n.\r..\r\n.x\n.\r\n",
  "\r\n.\r\n",
  "\r\n.\r\n",
  "RSET\r\n",
  "NOOP\r\n",
  "VRFY x\r\n",
  "EXPN x\r\n",
  "HELP\r\n",
  "QUIT\r\n",
  "GET / HTTP/1.1\r\n",
  "\r\n",
];

/** One random conversation. */
export interface FuzzCase {
  /** What it was made from. */
  readonly seed: number;
  /** Settings, for variety. */
  readonly authRequired: boolean;
  readonly startTls: boolean;
  readonly maxMessageOctets: number;
  /** What the client sends: each turn in a packet, or in any smaller ones. */
  readonly turns: readonly Uint8Array<ArrayBuffer>[];
}

/** Makes a conversation; the same one for the same seed. */
export function newFuzzCase(seed: number): FuzzCase {
  const random = newRandom(seed);
  const turns = Array.from({ length: 4 + random(24) }, () => {
    const parts = Array.from({ length: 1 + random(3) }, () => newPart(random));
    return latin1(parts.join(""));
  });
  return {
    seed,
    authRequired: random(2) === 0,
    startTls: random(4) === 0,
    maxMessageOctets: pick(random, [0, 20, 1_000_000, 1_000_000]),
    // Without a greeting there is little to see.
    turns: [latin1("EHLO client.example.net\r\n"), ...turns],
  };
}

function newPart(random: (below: number) => number): string {
  switch (random(16)) {
    case 0:
    case 1:
      return folded(random, 24);
    case 2:
      return `${pick(random, RESPONSES)}\r\n`;
    case 3:
      return pick(random, FRAGMENTS).slice(0, 1 + random(12));
    case 4:
      return mangled(pick(random, FRAGMENTS), random);
    case 5:
      // Long lines are slow octet by octet: seldom ones.
      return random(8) === 0 ? newLongLine(random) : "x\r\n";
    default:
      return pick(random, FRAGMENTS);
  }
}

function folded(random: (below: number) => number, most: number): string {
  return Array.from(
    { length: 1 + random(most) },
    () => pick(random, ALPHABET),
  ).join("");
}

function mangled(text: string, random: (below: number) => number): string {
  const at = random(text.length + 1);
  return text.slice(0, at) + folded(random, 3) + text.slice(at + random(3));
}

function newLongLine(random: (below: number) => number): string {
  const start = pick(random, ["AUTH PLAIN ", "NOOP ", ""]);
  const length = pick(random, [4080, 4090, 4096, 12_270, 12_288, 20_000]);
  const end = pick(random, ["\r\n", "\r", "\r\r\n", "\n\r\n"]);
  return start + "A".repeat(length + random(12)) + end;
}
