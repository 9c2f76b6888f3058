/**
 * The DATA reader, by the kind of message, and what just copying or looking
 * for the end costs.
 *
 * @module
 */

import { DataReader } from "../../smtp/protocol/data.ts";

const MAX_OCTETS = 1e9;
const PIECE = 65_536;

const CR = 13;

const encoder = new TextEncoder();

function lines(line: string, octets: number): Uint8Array<ArrayBuffer> {
  const count = Math.floor(octets / (line.length + 2));
  return encoder.encode(`${line}\r\n`.repeat(count) + ".\r\n");
}

const TEXT = "The quick brown fox jumps over the lazy dog, and then sleeps. ";

const messages = {
  "2 KB, lines of 74": lines(TEXT.repeat(2).slice(0, 74), 2_048),
  "64 KB, lines of 74": lines(TEXT.repeat(2).slice(0, 74), PIECE),
  "64 KB, lines of 5": lines("short", PIECE),
  "64 KB, lines of 990": lines("A".repeat(990), PIECE),
  "64 KB, dots doubled": lines(`..${TEXT}`, PIECE),
};

for (const [group, message] of Object.entries(messages)) {
  const copy = new Uint8Array(message.length);

  Deno.bench("copy, to compare", { group, baseline: true }, () => {
    copy.set(message);
  });

  Deno.bench("look for each CR, to compare", { group }, () => {
    for (let at = 0; at >= 0;) at = message.indexOf(CR, at + 1);
  });

  // The reader changes the piece: a message with doubled dots needs a fresh one.
  Deno.bench("copy and DataReader.read()", { group }, () => {
    copy.set(message);
    new DataReader(MAX_OCTETS).read(copy);
  });
}
