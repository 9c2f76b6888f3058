/**
 * The data reader under random messages in random pieces. A step is a message.
 *
 * @module
 */

import { DataReader } from "../../smtp/protocol/data.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";
import { latin1, textOf } from "../support/session.ts";

type Random = (below: number) => number;

const PARTS = ["\r\n", "\r\n", "\r\n", "\r", "\n", ".", ".", "x", "\0", "\xff"];

const MAX_OCTETS = 40;

/** One message in pieces; the reference is told it whole. */
export function fuzzData(seed: number): number {
  const random = newRandom(seed);
  const input = newInput(random);
  // What of the input is the message's line by line, and how much there is.
  const end = `\r\n${input}`.indexOf("\r\n.\r\n");
  const message = `\r\n${end < 0 ? input : input.slice(0, end)}`;
  const body = message.replace(end < 0 ? /\r\n\.\r?$/ : /$^/, "\r\n")
    .replaceAll("\r\n.", "\r\n").slice(2);
  const bare = /\r(?!\n|$)|(?<!\r)\n/.test(message);

  const reader = new DataReader(MAX_OCTETS);
  const result = readInPieces(reader, input, random);
  assertEquals(result.ended, end >= 0, "the end");
  assertEquals(result.used, end < 0 ? input.length : end + 3, "what was used");
  assertEquals(reader.octets, body.length, "the octets of the message");
  const fault = body.length > MAX_OCTETS
    ? "too-large"
    : bare
    ? "bare-line-end"
    : undefined;
  assertEquals(reader.fault, fault, "the fault");
  // What a refused message had in it is for nobody.
  if (!bare) assertEquals(result.body, body, "the message");
  return 1;
}

function readInPieces(reader: DataReader, input: string, random: Random) {
  const most = 1 + random(12);
  const result = { body: "", used: 0, ended: false };
  while (!result.ended && result.used < input.length) {
    const size = random(most) + (random(16) === 0 ? 0 : 1);
    // In the middle of a buffer, as in a connection: words are aligned there.
    const before = random(5);
    const rest = latin1(input.slice(result.used, result.used + size));
    const buffer = new Uint8Array(before + rest.length + random(5));
    const piece = buffer.subarray(before, before + rest.length);
    piece.set(rest);
    const { length, used, ended } = reader.read(piece);
    assert(ended || used === piece.length, "a piece is used to its end");
    result.body += textOf(piece.subarray(0, length));
    result.used += used;
    result.ended = ended;
  }
  return result;
}

function newInput(random: Random): string {
  const text = Array.from({ length: random(24) }, () => {
    const part = pick(random, PARTS);
    return part === "x" ? part.repeat(1 + random(9)) : part;
  }).join("");
  return random(2) === 0 ? text : `${text}\r\n.\r\nQUIT\r\n`;
}
