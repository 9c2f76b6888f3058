import { parseNetwork } from "../../lib/ip.ts";
import type { Deadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import { proxyOpening } from "../../smtp/proxied.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HandWire, newContext, settled } from "../support/hand_wire.ts";
import { PEER } from "../support/session.ts";

Deno.test("proxyOpening() gives a proxy 5 s for the whole header, and then closes without a word", async () => {
  const everywhere = parseNetwork("0.0.0.0/0");
  assert(everywhere !== undefined);
  for (const parts of [[], [..."PROXY TCP4 192.0.2.7"]]) {
    const limits: number[] = [];
    let expire = () => {};
    const deadlines: Deadlines = {
      now: () => 0,
      watch(watched) {
        expire = () => watched.expire();
        return {
          renew: (milliseconds) => limits.push(milliseconds),
          pause() {},
          resume() {},
          stop() {},
        };
      },
    };
    const wire = new HandWire();
    const opening = proxyOpening([everywhere], {
      plainTextAuth: () => false,
      isTrusted: () => false,
      admit: () => "serve",
    });
    const ended = new Connection(wire, PEER, newContext({ deadlines }))
      .run([opening]);
    await settled();
    for (const part of parts) {
      wire.says(part);
      await settled();
    }
    assertEquals([limits, wire.closed], [[5_000], false]);
    expire();
    await ended;
    assertEquals([wire.written, wire.closed], [[], true]);
  }
});
