import { type DataFault, DataReader } from "../../../smtp/protocol/data.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import {
  type DataReading,
  dataReference,
} from "../../support/data_reference.ts";
import { allStrings } from "../../support/fuzz.ts";
import { newRandom, pick } from "../../support/random.ts";
import { latin1, textOf } from "../../support/session.ts";

/** What came of some input. */
interface Reading extends DataReading {
  readonly fault: DataFault | undefined;
}

/** What must come of it: a bare CR or LF is a fault. */
function reference(input: string): Reading {
  const { hasBare, ...reading } = dataReference(input);
  return { ...reading, fault: hasBare ? "bare-line-end" : undefined };
}

/** Reads the pieces one after another, as long as there is no end. */
function read(
  pieces: Iterable<Uint8Array>,
  maxOctets: number = 1_000,
): Reading {
  const reader = new DataReader(maxOctets);
  let body = "";
  let used = 0;
  let ended = false;
  for (const piece of pieces) {
    if (ended) break;
    const read = reader.read(piece);
    body += textOf(piece.subarray(0, read.length));
    used += read.used;
    ended = read.ended;
  }
  return { body, used, ended, fault: reader.fault, octets: reader.octets };
}

function* octetByOctet(octets: Uint8Array): Generator<Uint8Array> {
  for (const octet of octets) yield Uint8Array.of(octet);
}

/**
 * Fails if they differ. What a message that is refused had in it does not
 * matter: nobody gets it.
 */
function assertReading(actual: Reading, expected: Reading, what: string) {
  const same = actual.used === expected.used &&
    actual.ended === expected.ended && actual.fault === expected.fault &&
    (expected.fault !== undefined ||
      actual.body === expected.body && actual.octets === expected.octets);
  // assertEquals() 1.5 million times would take a minute.
  if (!same) assertEquals(actual, expected, JSON.stringify(what));
}

/** All short texts, each with what must come of it. */
const EVERYTHING = [...allStrings("\r\n.x", 8)]
  .map((text) => ({ text, expected: reference(text) }));

/**
 * Those of up to seven octets, for reading in pieces: each state of the reader is
 * reached by two octets, and told from every other by three more.
 */
const SHORTER = EVERYTHING.filter(({ text }) => text.length < 8);

Deno.test("the exhaustive tests have 87,380 strings, with ends and faults", () => {
  assertEquals(EVERYTHING.length, 87_380 + 1);
  const count = (ended: boolean, fault: boolean) =>
    EVERYTHING.filter(({ expected }) =>
      expected.ended === ended && (expected.fault !== undefined) === fault
    ).length;
  assert(count(true, false) > 100, `${count(true, false)} are messages`);
  assert(count(true, true) > 100, `${count(true, true)} are refused`);
  assert(count(false, false) > 100, `${count(false, false)} go on`);
});

Deno.test("DataReader finds end, body and faults in any short input", () => {
  for (const { text, expected } of EVERYTHING) {
    assertReading(read([latin1(text)]), expected, text);
  }
});

Deno.test("DataReader finds the same octet by octet", () => {
  for (const { text, expected } of SHORTER) {
    assertReading(read(octetByOctet(latin1(text))), expected, text);
  }
});

Deno.test("DataReader finds the same wherever the input is split in two", () => {
  for (const { text, expected } of SHORTER) {
    for (let at = 1; at < text.length; at++) {
      const pieces = [latin1(text.slice(0, at)), latin1(text.slice(at))];
      assertReading(read(pieces), expected, `${text} at ${at}`);
    }
  }
});

Deno.test("DataReader bears pieces without octets", () => {
  const pieces = ["", "x\r", "", "\n.", "", "\r", "", "\n", ""];
  assertEquals(read(pieces.map(latin1)), {
    body: "x\r\n",
    used: 6,
    ended: true,
    fault: undefined,
    octets: 3,
  });
});

Deno.test("DataReader.octets counts the same wherever the input is split", () => {
  for (const text of allStrings("\r\n.x", 6)) {
    const whole = read([latin1(text)]);
    const octets = read(octetByOctet(latin1(text)));
    assertEquals(octets.octets, whole.octets, JSON.stringify(text));
  }
});

Deno.test("DataReader.fault is too-large from the first octet over the limit", () => {
  const rows = [
    // What is read, and how many octets of it are the message's.
    [".\r\n", 0],
    ["\r\n.\r\n", 2],
    ["x\r\n.\r\n", 3],
    // A doubled dot counts once, RFC 1870 section 3.
    ["..\r\n.\r\n", 3],
    ["....\r\n..\r\n.\r\n", 8],
    [`${"x".repeat(1000)}\r\n.\r\n`, 1002],
  ] as const;
  for (const [text, size] of rows) {
    for (const [limit, fault] of [[size, undefined], [size - 1, "too-large"]]) {
      for (const pieces of [[latin1(text)], octetByOctet(latin1(text))]) {
        const { ended, octets, ...rest } = read(pieces, Number(limit));
        assertEquals({ ended, octets, fault: rest.fault }, {
          ended: true,
          octets: size,
          fault: fault === undefined ? undefined : "too-large",
        }, `${JSON.stringify(text)} with ${limit}`);
      }
    }
  }
});

Deno.test("DataReader.fault stays unset until the octet over the limit has come", () => {
  const reader = new DataReader(3);
  const faults = [..."abc\r\n.\r\n"].map((character) => {
    reader.read(latin1(character));
    return reader.fault;
  });
  assertEquals(faults, [
    undefined,
    undefined,
    undefined,
    ...Array<DataFault>(5).fill("too-large"),
  ]);
});

Deno.test("DataReader.fault says too-large of a message with both faults", () => {
  const text = "a\nb\r\n.\r\n";
  assertEquals(read([latin1(text)], 5).fault, "bare-line-end");
  assertEquals(read([latin1(text)], 4).fault, "too-large");
  assertEquals(read(octetByOctet(latin1(text)), 5).fault, "bare-line-end");
  assertEquals(read(octetByOctet(latin1(text)), 4).fault, "too-large");
});

Deno.test("DataReader leaves octets behind the end alone", () => {
  const piece = latin1("..a\r\n.\r\nQUIT\r\n.\r\n..\r\n");
  const { length, used, ended } = new DataReader(100).read(piece);
  assertEquals({ length, used, ended }, { length: 4, used: 8, ended: true });
  assertEquals(textOf(piece.subarray(0, length)), ".a\r\n");
  assertEquals(textOf(piece.subarray(used)), "QUIT\r\n.\r\n..\r\n");
});

Deno.test("DataReader passes all 256 octets but CR and LF as they are", () => {
  const all = Uint8Array.from({ length: 256 }, (_, octet) => octet)
    .filter((octet) => octet !== 10 && octet !== 13);
  const text = `${textOf(all)}\r\n`;
  const { body, fault, ended } = read([latin1(`${text}.\r\n`)]);
  assert(body === text);
  assertEquals({ fault, ended }, { fault: undefined, ended: true });
});

/** Line ends, good and bad, dots, octets next to them, high ones, plain text. */
const PARTS = [
  ...["\r\n", "\r\n", "\r\n.", "\r\n..", "\r", "\n", ".", "\x00", "\x0c"],
  ...["\x0e", "\x0f", "\x7f", "\x80", "\x8d", "\x8a", "\xff", "x", "xy"],
  ...["x".repeat(5), "x".repeat(13), "x".repeat(76), "\xff".repeat(9)],
];

Deno.test("DataReader reads long lines of any octets, wherever they lie in memory", () => {
  const random = newRandom(5321);
  const buffer = new Uint8Array(4096);
  for (let round = 0; round < 20_000; round++) {
    // Most messages are good ones, or nothing else would be seen.
    const parts = PARTS.slice(0, random(3) === 0 ? PARTS.length : 0);
    const from = parts.length > 0 ? parts : PARTS.filter((p) => !isBare(p));
    const text = Array.from({ length: random(30) }, () => pick(random, from))
      .join("").slice(0, 2000) + (random(2) ? "\r\n.\r\n" : "");
    const expected = reference(text);
    const octets = latin1(text);
    const offset = random(9);
    const whole = buffer.subarray(offset, offset + octets.length);
    whole.set(octets);
    assertReading(read([whole], 10_000), expected, `${text} at ${offset}`);
    const cut = random(octets.length + 1);
    const pieces = [octets.slice(0, cut), octets.slice(cut)];
    assertReading(read(pieces, 10_000), expected, `${text} cut at ${cut}`);
  }
});

function isBare(part: string): boolean {
  return part === "\r" || part === "\n";
}
