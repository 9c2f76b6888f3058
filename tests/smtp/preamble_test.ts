import { parseNetwork } from "../../lib/ip.ts";
import type { Deadlines } from "../../net/deadlines.ts";
import { Connection } from "../../smtp/connection.ts";
import { proxyStep } from "../../smtp/proxy_step.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { HandConn, newContext, settled } from "../support/hand_conn.ts";
import { PEER } from "../support/session.ts";

Deno.test("proxyStep() gives a proxy 5 s for the whole header, and then closes without a word", async () => {
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
    const conn = new HandConn();
    const step = proxyStep([everywhere], {
      plainTextAuth: () => false,
      isTrusted: () => false,
      admit: () => "serve",
    });
    const ended = new Connection(conn, PEER, newContext({ deadlines }))
      .run([step]);
    await settled();
    for (const part of parts) {
      conn.says(part);
      await settled();
    }
    assertEquals([limits, conn.closed], [[5_000], false]);
    expire();
    await ended;
    assertEquals([conn.written, conn.closed], [[], true]);
  }
});
