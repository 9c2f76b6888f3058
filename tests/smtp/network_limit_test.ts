import { newNetworkLimit } from "../../smtp/network_limit.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("newNetworkLimit() counts by network, until somebody leaves", () => {
  const limit = newNetworkLimit(2);
  const entered = (...ips: string[]) => ips.map((ip) => limit.enter(ip));
  assertEquals(
    entered("192.0.2.1", "192.0.2.1", "192.0.2.200", "192.0.3.1"),
    [true, true, false, true],
  );
  limit.leave("192.0.2.9");
  assertEquals(entered("192.0.2.200", "192.0.2.201"), [true, false]);
  assertEquals(
    entered(
      "2001:db8::1",
      "2001:db8:0:ff::1",
      "2001:db8:0:fe::1",
      "2001:db8:0:100::1",
    ),
    [true, true, false, true],
  );
});

/** An address in one of the 256 networks of 56 bits that a /48 has. */
function inNetwork(number: number, host = 1): string {
  return `2001:db8:0:${(number << 8).toString(16)}::${host.toString(16)}`;
}

Deno.test("newNetworkLimit() gives an IPv6 /48 four times as many as a /56", () => {
  const limit = newNetworkLimit(2);
  const entered = Array.from({ length: 50 }, (_, i) => i)
    .filter((network) => limit.enter(inNetwork(network)));
  assertEquals(entered, [0, 1, 2, 3, 4, 5, 6, 7]);
  // Others are not concerned.
  assertEquals(limit.enter("2001:db8:1::1"), true);
  assertEquals(limit.enter("192.0.2.1"), true);
});

Deno.test("newNetworkLimit() counts nothing for whom it turns away", () => {
  const limit = newNetworkLimit(1);
  for (let network = 0; network < 4; network++) {
    assertEquals(limit.enter(inNetwork(network)), true);
    for (let i = 0; i < 10; i++) {
      assertEquals(limit.enter(inNetwork(network, 2)), false);
    }
  }
  for (let i = 0; i < 10; i++) assertEquals(limit.enter(inNetwork(9)), false);
  // The /48 is full because of those four, and of nobody else.
  for (let network = 0; network < 4; network++) {
    limit.leave(inNetwork(network));
    assertEquals(limit.enter(inNetwork(9)), true);
    limit.leave(inNetwork(9));
    assertEquals(limit.enter(inNetwork(network)), true);
  }
});

Deno.test("newNetworkLimit() does not limit the machine itself", () => {
  const limit = newNetworkLimit(1);
  for (let i = 0; i < 9; i++) {
    assertEquals(["127.0.0.1", "::1"].map(limit.enter), [true, true]);
  }
});
