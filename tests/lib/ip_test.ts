import { isIP } from "node:net";
import {
  formatIp,
  isIn,
  isInOneOf,
  isIp,
  networkOf,
  parseIp,
  parseNetwork,
} from "../../lib/ip.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("parseIp() and formatIp() agree on how addresses are written", () => {
  for (
    const [text, written] of [
      ["0.0.0.0", "0.0.0.0"],
      ["192.0.2.255", "192.0.2.255"],
      ["::", "::"],
      ["::1", "::1"],
      ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
      ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
      ["1::", "1::"],
      ["::ffff:192.0.2.1", "192.0.2.1"],
      ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
      ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ] as const
  ) {
    const octets = parseIp(text);
    assertEquals(octets && formatIp(octets), written, text);
  }
});

Deno.test("parseIp() refuses what is no address", () => {
  for (
    const text of [
      "",
      "192.0.2",
      "192.0.2.1.1",
      "192.0.2.256",
      "192.0.2.01",
      "192.0.2.-1",
      "192.0.2.1 ",
      "0x7f.0.0.1",
      ":",
      ":::",
      "1::2::3",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4:5:6:7::8",
      "12345::",
      "g::",
      "::192.0.2.1:1",
      "192.0.2.1::",
      "1::192.0.2.1:",
      "999.1.1.1",
      ":::::",
      "127.1",
      "fe80::1%eth0",
      "[::1]",
      "localhost",
    ]
  ) assertEquals(parseIp(text), undefined, text);
});

Deno.test("isIp() takes what node's parser takes, of all texts of six parts", () => {
  const parts = ["", ":", "::", "0", "ffff", "12345", "g", "192.0.2.1", "."];
  let texts = [""];
  for (let length = 0; length < 6; length++) {
    texts = texts.flatMap((text) => parts.map((part) => text + part));
  }
  const differ = new Set(
    texts.filter((text) => isIp(text) !== (isIP(text) !== 0)),
  );
  assertEquals([...differ], []);
});

Deno.test("isIn() compares as many bits as the network has", () => {
  for (
    const [network, ip, expected] of [
      ["192.0.2.0/24", "192.0.2.255", true],
      ["192.0.2.0/24", "192.0.3.0", false],
      ["192.0.2.128/25", "192.0.2.127", false],
      ["192.0.2.128/25", "192.0.2.128", true],
      ["192.0.2.1", "192.0.2.1", true],
      ["192.0.2.1", "192.0.2.2", false],
      ["0.0.0.0/0", "255.0.0.1", true],
      ["0.0.0.0/0", "::1", false],
      ["2001:db8::/32", "2001:db8:ffff::1", true],
      ["2001:db8::/33", "2001:db8:ffff::1", false],
      ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ] as const
  ) {
    const parsed = parseNetwork(network);
    const address = parseIp(ip);
    assertEquals(
      parsed && address && isIn(address, parsed),
      expected,
      `${ip} in ${network}`,
    );
  }
});

Deno.test("parseNetwork() refuses what is no network", () => {
  for (
    const text of [
      "",
      "/24",
      "192.0.2.0/",
      "192.0.2.0/33",
      "192.0.2.0/024",
      "192.0.2.0/-1",
      "192.0.2.0/24/24",
      "::/129",
      "example.com/24",
    ]
  ) assertEquals(parseNetwork(text), undefined, text);
});

Deno.test("networkOf() is the same for neighbours, and for what is no address itself", () => {
  for (
    const [ip, expected] of [
      ["192.0.2.77", "192.0.2.0/24"],
      ["::ffff:192.0.2.77", "192.0.2.0/24"],
      ["2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"],
      ["fe80::1%eth0", "fe80::/56"],
      ["fe80::2%made-up", "fe80::/56"],
      ["", ""],
      ["unknown", "unknown"],
      ["192.0.2.1%x", "192.0.2.1%x"],
    ] as const
  ) assertEquals(networkOf(ip), expected);
  assertEquals(networkOf("2001:db8:1:2ff::", 24, 48), "2001:db8:1::/48");
});

Deno.test("isInOneOf() finds an address, whatever its zone, in any of the networks", () => {
  const networks = ["192.0.2.0/24", "fe80::/10"].flatMap((text) =>
    parseNetwork(text) ?? []
  );
  for (const ip of ["192.0.2.7", "::ffff:192.0.2.7", "fe80::1%eth0"]) {
    assertEquals(isInOneOf(ip, networks), true, ip);
    assertEquals(isInOneOf(ip, []), false, ip);
  }
  for (const ip of ["192.0.3.7", "::1", "", "unknown"]) {
    assertEquals(isInOneOf(ip, networks), false, ip);
  }
});
