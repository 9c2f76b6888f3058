import {
  newOrigins,
  throttleKeys,
} from "../../../../auth/guards/throttle/keys.ts";
import { parseNetwork } from "../../../../lib/ip.ts";
import { assert, assertEquals } from "../../../support/assert.ts";

/** The keys of ann, from an address. */
function keysFrom(ip: string, ipv6Prefix = 56): readonly string[] {
  const shared = parseNetwork("127.0.0.0/8");
  assert(shared !== undefined);
  const options = { ipv4Prefix: 24, ipv6Prefix, sharedNetworks: [shared] };
  return throttleKeys("Ann", newOrigins(options)(ip)).keys;
}

Deno.test("throttleKeys() has a key for the user, the network and the two together, and for an IPv6 site", () => {
  const v4 = ["user ann", "pair 192.0.2.0/24 ann", "network 192.0.2.0/24"];
  const v6 = (bits: number) => [
    "user ann",
    `pair 2001:db8:1:200::/${bits} ann`,
    `network 2001:db8:1:200::/${bits}`,
  ];
  const site = ["pair 2001:db8:1::/48 ann", "network 2001:db8:1::/48"];
  assertEquals(keysFrom("192.0.2.7"), v4);
  assertEquals(keysFrom("::ffff:192.0.2.7"), v4);
  assertEquals(keysFrom("2001:db8:1:2ff::1"), [...v6(56), ...site]);
  assertEquals(keysFrom("2001:db8:1:200::1", 64), [...v6(64), ...site]);
  assertEquals(
    keysFrom("2001:db8:1:200::1", 48),
    ["user ann", ...site],
    "a network as wide as a site is one",
  );
});

Deno.test("throttleKeys() counts no shared network, and knows none without an address", () => {
  assertEquals(keysFrom("127.0.0.1"), ["user ann", "pair 127.0.0.0/24 ann"]);
  for (const ip of ["", "unknown", "192.0.2.256", "192.0.2.7%x", "unix:/x"]) {
    assertEquals(keysFrom(ip), ["unknown ann"], ip);
  }
});

Deno.test("throttleKeys() tells the user as typed, as long as a name can be", () => {
  const origin = { kind: "unknown" } as const;
  assertEquals(throttleKeys("\u00c1nn", origin).user, "\u00c1nn");
  const long = throttleKeys("\u{1f431}".repeat(5000), origin).user;
  assert(long.length <= 320 && long.isWellFormed());
});
