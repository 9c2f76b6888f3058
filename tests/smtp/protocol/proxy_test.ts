import { crc32c } from "../../../smtp/protocol/crc32c.ts";
import {
  type ProxyReading,
  readProxyHeader,
} from "../../../smtp/protocol/proxy.ts";
import { assertEquals } from "../../support/assert.ts";

const text = (line: string) => new TextEncoder().encode(line);

const hex = (digits: string) =>
  Uint8Array.from(
    digits.replaceAll(/\s/g, "").match(/../g) ?? [],
    (pair) => parseInt(pair, 16),
  );

const SIGNATURE = "0d0a0d0a000d0a515549540a";

/** What HAProxy sends (recorded), and what it means. */
const GOOD = [
  [
    text("PROXY TCP4 127.0.0.1 127.0.0.2 51622 5901\r\n"),
    { source: "127.0.0.1", destination: "127.0.0.2", tls: false },
  ],
  [
    text("PROXY TCP6 ::1 2001:DB8:0::1 44848 47537\r\n"),
    { source: "::1", destination: "2001:db8::1", tls: false },
  ],
  [
    text("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 65535\r\n"),
    { source: "192.0.2.1", destination: "::1", tls: false },
  ],
  [text("PROXY UNKNOWN\r\n"), { tls: false }],
  [text("PROXY UNKNOWN ffff:f...f:ffff 65535 65535\r\n"), { tls: false }],
  [
    hex(`${SIGNATURE} 21 11 000c 7f000001 7f000002 d770 170e`),
    { source: "127.0.0.1", destination: "127.0.0.2", tls: false },
  ],
  [
    hex(
      `${SIGNATURE} 21 21 0024 20010db8000000000000000000000001
       00000000000000000000ffffc0000201 d770 170e`,
    ),
    { source: "2001:db8::1", destination: "192.0.2.1", tls: false },
  ],
  [
    hex(
      `${SIGNATURE} 21 11 0037 7f000001 7f000001 ace2 170f 030004 3ca14ee4
       02000c 6d61696c2e6578616d706c65 050000 20000f 01 00000000 210007
       544c5376312e33`,
    ),
    { source: "127.0.0.1", destination: "127.0.0.1", tls: true },
  ],
  [
    hex(
      `${SIGNATURE} 21 11 0014 7f000001 7f000001 ace2 170f
       200005 00 00000000`,
    ),
    { source: "127.0.0.1", destination: "127.0.0.1", tls: false },
  ],
  [
    hex(
      `${SIGNATURE} 21 11 0014 7f000001 7f000001 ace2 170f
       200005 07 00000000`,
    ),
    { source: "127.0.0.1", destination: "127.0.0.1", tls: true },
  ],
  [hex(`${SIGNATURE} 20 00 0000`), { tls: false, local: true }],
  [hex(`${SIGNATURE} 20 11 0003 ffffff`), { tls: false, local: true }],
  [hex(`${SIGNATURE} 21 00 0000`), { tls: false }],
  // What a proxy that knows no address puts in its place is to be ignored,
  // but not what it says in TLVs.
  [
    hex(`${SIGNATURE} 21 00 000c c0000207 c6336401 c350 024b`),
    { tls: false },
  ],
  [hex(`${SIGNATURE} 21 00 0004 00000000`), { tls: false }],
  [hex(`${SIGNATURE} 21 00 0008 200005 01 00000000`), { tls: true }],
  [
    hex(`${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`),
    { tls: false, local: true },
  ],
  [hex(`${SIGNATURE} 21 12 000c 7f000001 7f000001 ace2 170f`), { tls: false }],
] as const;

/** What is no header, or a broken one. */
const BAD = [
  "EHLO client\r\n",
  "PROXY\r\n",
  "PROXY \r\n",
  "PROXY TCP4 127.0.0.1 127.0.0.1 51622 5901\n",
  "PROXY TCP4 127.0.0.1 127.0.0.1 51622 5901 \r\n",
  "PROXY TCP4  127.0.0.1 127.0.0.1 51622 5901\r\n",
  "PROXY TCP4 127.0.0.01 127.0.0.1 51622 5901\r\n",
  "PROXY TCP4 127.0.0.256 127.0.0.1 51622 5901\r\n",
  "PROXY TCP4 127.0.0.1 127.0.0.1 051622 5901\r\n",
  "PROXY TCP4 127.0.0.1 127.0.0.1 51622 65536\r\n",
  "PROXY TCP4 127.0.0.1 127.0.0.1 51622 -1\r\n",
  "PROXY TCP4 127.0.0.1 127.0.0.1 51622\r\n",
  "PROXY TCP4 ::1 ::1 51622 5901\r\n",
  "PROXY TCP4 127.0.0.1 ::1 51622 5901\r\n",
  "PROXY TCP6 127.0.0.1 127.0.0.1 51622 5901\r\n",
  "PROXY TCP6 ::1::2 ::1 51622 5901\r\n",
  "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 51622 5901\r\n",
  "PROXY TCP6 12345::1 ::1 51622 5901\r\n",
  "PROXY TCP5 127.0.0.1 127.0.0.1 51622 5901\r\n",
  "PROXY UDP4 127.0.0.1 127.0.0.1 51622 5901\r\n",
  "proxy TCP4 127.0.0.1 127.0.0.1 51622 5901\r\n",
  "PROXY UNKNOWNX\r\n",
  `PROXY UNKNOWN ${"x".repeat(107)}`,
  `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
] as const;

const BAD_V2 = [
  `${SIGNATURE} 22 11 000c 7f000001 7f000001 d770 170e`,
  `${SIGNATURE} 11 11 000c 7f000001 7f000001 d770 170e`,
  `${SIGNATURE} 21 13 000c 7f000001 7f000001 d770 170e`,
  `${SIGNATURE} 21 11 000b 7f000001 7f000001 d770 17`,
  `${SIGNATURE} 21 21 000c 7f000001 7f000001 d770 170e`,
  `${SIGNATURE} 21 11 ffff 7f000001 7f000001 d770 170e`,
  // A TLV that is cut off, one that is longer than the header, a bad checksum.
  `${SIGNATURE} 21 11 000e 7f000001 7f000001 d770 170e 0400`,
  `${SIGNATURE} 21 11 000f 7f000001 7f000001 d770 170e 040001`,
  `${SIGNATURE} 21 11 0013 7f000001 7f000001 d770 170e 030004 00000000`,
  `${SIGNATURE} 21 11 0011 7f000001 7f000001 d770 170e 030002 0000`,
  `${SIGNATURE} 21 00 0007 030004 00000000`,
  "0d0a0d0a000d0a515549540b 21 11 000c 7f000001 7f000001 d770 170e",
] as const;

Deno.test("readProxyHeader() reads both versions, and leaves what follows", () => {
  for (const [octets, expected] of GOOD) {
    const reading: ProxyReading = {
      kind: "header",
      header: { length: octets.length, ...expected },
    };
    assertEquals(readProxyHeader(octets), reading);
    assertEquals(
      readProxyHeader(new Uint8Array([...octets, ...text("EHLO x\r\n")])),
      reading,
    );
  }
});

Deno.test("readProxyHeader() wants more until the header is complete", () => {
  for (const [octets] of GOOD) {
    for (let end = 0; end < octets.length; end++) {
      assertEquals(
        readProxyHeader(octets.subarray(0, end)),
        { kind: "more" },
        `${end} of ${octets}`,
      );
    }
  }
});

Deno.test("readProxyHeader() refuses everything else", () => {
  for (const octets of [...BAD.map(text), ...BAD_V2.map(hex)]) {
    assertEquals(
      readProxyHeader(octets),
      { kind: "malformed" },
      new TextDecoder().decode(octets),
    );
  }
});

Deno.test("crc32c() has the values of RFC 3720 B.4", () => {
  const rows = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(255), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    [text("123456789"), 0xe3069283],
  ] as const;
  for (const [octets, expected] of rows) assertEquals(crc32c(octets), expected);
});
