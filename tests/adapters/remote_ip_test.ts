import { isIp, remoteIpOf } from "../../adapters/remote_ip.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("remoteIpOf() takes addresses and nothing else", () => {
  const rows = [
    ["192.0.2.7", "192.0.2.7"],
    ["::1", "::1"],
    ["2001:db8::7", "2001:db8::7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["fe80::1%eth0", "fe80::1%eth0"],
    ["64:ff9b::192.0.2.7", "64:ff9b::192.0.2.7"],
    ["", ""],
    ["unknown", ""],
    ["unix:", ""],
    ["192.0.2", ""],
    ["192.0.2.7\n", ""],
    ["abc", ""],
    ["a:b", ""],
    ["1".repeat(100), ""],
    [undefined, ""],
  ] as const;
  for (const [text, ip] of rows) assertEquals(remoteIpOf(text), ip, text);
});

Deno.test("isIp() refuses names", () => {
  assertEquals(isIp("127.0.0.1"), true);
  assertEquals(isIp("::1"), true);
  assertEquals(isIp("::ffff:127.0.0.1"), true);
  assertEquals(isIp("localhost"), false);
  assertEquals(isIp(""), false);
});
