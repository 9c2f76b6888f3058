/**
 * The PROXY parser under headers that are nearly right. A step is a header.
 *
 * @module
 */

import { crc32c } from "../../smtp/protocol/crc32c.ts";
import { readProxyHeader } from "../../smtp/protocol/proxy.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";
import { latin1 } from "../support/session.ts";

type Random = (below: number) => number;

const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

const WORDS = [
  ...["PROXY", "TCP4", "TCP6", "UNKNOWN", "192.0.2.1", "::1", "2001:db8::1"],
  ...["1", "65535", "65536", "01", "256.0.0.1", "::ffff:192.0.2.1", "", "x"],
] as const;

const LINES = [
  "PROXY TCP4 192.0.2.1 198.51.100.7 40000 25\r\n",
  "PROXY TCP6 2001:db8::1 ::1 40000 25\r\n",
  "PROXY UNKNOWN\r\n",
  "PROXY UNKNOWN a b\r\n",
] as const;

/** One header; the shortest beginning that decides must decide the same. */
export function fuzzProxy(seed: number): number {
  const random = newRandom(seed);
  const octets = mangled(
    random(2) === 0 ? newV1(random) : newV2(random),
    random,
  );
  const whole = readProxyHeader(octets);
  let first = whole;
  for (let length = 0; length <= octets.length; length++) {
    first = readProxyHeader(octets.subarray(0, length));
    if (first.kind !== "more") break;
  }
  assertEquals(first, whole, "a beginning and the whole");
  if (whole.kind === "header") {
    const { length, source, destination } = whole.header;
    assert(length <= octets.length && length <= 4096, `${length} octets`);
    assertEquals(source === undefined, destination === undefined);
  }
  return 1;
}

function newV1(random: Random): Uint8Array<ArrayBuffer> {
  const line = random(2) === 0
    ? pick(random, LINES)
    : Array.from({ length: 1 + random(7) }, () => pick(random, WORDS))
      .join(" ") + pick(random, ["\r\n", "\n", "\r", " \r\n"]);
  const long = random(16) === 0
    ? `PROXY UNKNOWN ${"x".repeat(85 + random(12))}\r\n`
    : line;
  return latin1(long + pick(random, ["", "EHLO client\r\n"]));
}

function newV2(random: Random): Uint8Array<ArrayBuffer> {
  const family = pick(random, [0x00, 0x11, 0x11, 0x12, 0x21, 0x22, 0x31, 0x41]);
  const size = family === 0 ? 0 : family < 0x20 ? 12 : family < 0x30 ? 36 : 216;
  const octets = (length: number) =>
    Array.from({ length }, () => pick(random, [0, 0, 1, 127, 255]));
  const data = octets(size);
  for (let count = random(4); count > 0; count--) {
    const value = octets(random(8));
    const type = pick(random, [0x01, 0x04, 0x20, 0x20, 0xe0]);
    data.push(type, 0, value.length, ...value);
  }
  const summed = random(3) === 0;
  if (summed) data.push(0x03, 0, 4, 0, 0, 0, 0);
  const header = Uint8Array.from([
    ...latin1(SIGNATURE),
    pick(random, [0x20, 0x21, 0x21, 0x21, 0x11]),
    ...[family, data.length >> 8, data.length & 255, ...data],
  ]);
  if (summed) {
    new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  }
  const more = pick(random, ["", "EHLO client\r\n"]);
  return Uint8Array.from([...header, ...latin1(more)]);
}

/** Changes an octet or two, cuts the end off, or leaves it as it is. */
function mangled(
  octets: Uint8Array<ArrayBuffer>,
  random: Random,
): Uint8Array<ArrayBuffer> {
  const count = random(3);
  for (let done = 0; done < count; done++) {
    const octet = pick(random, [0, 10, 13, 32, 48, 58, 0x20, random(256)]);
    octets[random(octets.length)] = octet;
  }
  return random(6) === 0 ? octets.slice(0, random(octets.length)) : octets;
}
