// Connections to other servers, and what those send in place of TLS.

import { connectUpgradable } from "../../net/tcp_client.ts";
import { Gone } from "../../net/conn.ts";
import { mustHappen } from "../../testing/deadline.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { serveTcp } from "../support/raw_end.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const NO_TLS = new Uint8Array(4_096).fill(0x41);

/** Carries octets until one side ends, or until it is told to stop. */
async function carry(
  from: Deno.Conn,
  to: Deno.Conn,
  isOver: () => boolean,
): Promise<void> {
  const space = new Uint8Array(4_096);
  for (;;) {
    const count = await from.read(space);
    if (count === null || isOver()) return;
    await to.write(space.subarray(0, count));
  }
}

Deno.test("startTls() gives a connection that breaks with what is no TLS, and reads no more of it", async () => {
  const { cert, key } = await testCertificate();
  using server = Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key });
  const accepted = server.accept();
  let isOver = false;
  const broken = Promise.withResolvers<void>();
  await using between = serveTcp(async (near) => {
    using far = await Deno.connect({
      hostname: "127.0.0.1",
      port: server.addr.port,
    });
    const there = carry(near, far, () => isOver).catch(() => {});
    await carry(far, near, () => isOver);
    try {
      // Whoever reads on reads for ever.
      for (;;) await near.write(NO_TLS);
    } catch {
      broken.resolve();
    }
    await there;
  });
  const target = { hostname: "127.0.0.1", port: between.port };
  const conn = await connectUpgradable(target, new AbortController().signal);
  const tls = await conn.startTls("localhost", cert);
  using peer = await accepted;
  const space = new Uint8Array(16);
  await peer.write(Uint8Array.of(1, 2, 3));
  assertEquals(await tls.read(space), 3);
  isOver = true;
  await peer.write(Uint8Array.of(4));
  await assertRejects(
    () => mustHappen(tls.read(space), "the connection breaks"),
    Gone,
  );
  await mustHappen(broken.promise, "nobody reads what is no TLS");
  await assertRejects(
    () => mustHappen(tls.write(space), "a write says so"),
    Gone,
  );
  tls.close();
});
