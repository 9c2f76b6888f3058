import { newCrowd } from "../../smtp/network_limit.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("newCrowd() counts by network, until somebody leaves", () => {
  const crowd = newCrowd(2);
  const entered = (...ips: string[]) => ips.map((ip) => crowd.enter(ip));
  assertEquals(
    entered("192.0.2.1", "192.0.2.1", "192.0.2.200", "192.0.3.1"),
    [true, true, false, true],
  );
  crowd.leave("192.0.2.9");
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

Deno.test("newCrowd() does not limit the machine itself", () => {
  const crowd = newCrowd(1);
  for (let i = 0; i < 3; i++) {
    assertEquals(["127.0.0.1", "::1"].map(crowd.enter), [true, true]);
  }
});
