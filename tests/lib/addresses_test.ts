import { isLoopback, plainIp } from "../../lib/addresses.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("plainIp() writes an address in its one form, and what is none not at all", () => {
  const rows = [
    ["192.0.2.7", "192.0.2.7"],
    ["::1", "::1"],
    ["2001:db8::7", "2001:db8::7"],
    ["2001:DB8:0:0::7", "2001:db8::7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::FFFF:c000:207", "192.0.2.7"],
    ["64:ff9b::192.0.2.7", "64:ff9b::c000:207"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["FE80:0::1%br-1.20", "fe80::1%br-1.20"],
    ["fe80::1%", ""],
    ["fe80::1%eth0%eth1", ""],
    ["fe80::1%a b", ""],
    [`fe80::1%${"x".repeat(33)}`, ""],
    ["192.0.2.7%eth0", ""],
    ["::ffff:192.0.2.7%eth0", ""],
    ["", ""],
    ["unknown", ""],
    ["unix:", ""],
    ["192.0.2", ""],
    ["999.1.1.1", ""],
    ["192.0.2.7\n", ""],
    ["abc", ""],
    ["a:b", ""],
    [":::::", ""],
    ["1".repeat(100), ""],
    [undefined, ""],
  ] as const;
  for (const [text, ip] of rows) assertEquals(plainIp(text), ip, text);
});

Deno.test("isLoopback() is true for addresses that never leave the machine", () => {
  const rows = [
    ["127.0.0.1", true],
    ["127.255.255.254", true],
    ["::1", true],
    ["0:0::1", true],
    ["::1%lo", true],
    ["::ffff:127.0.0.1", true],
    ["::ffff:7f00:1", true],
    ["128.0.0.1", false],
    ["::", false],
    ["::2", false],
    ["2001:db8::1", false],
    ["127.1", false],
    ["127.0.0.1.example.com", false],
    ["localhost", false],
    ["", false],
  ] as const;
  for (const [text, expected] of rows) {
    assertEquals(isLoopback(text), expected, text);
  }
});
