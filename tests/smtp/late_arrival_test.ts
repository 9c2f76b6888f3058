// Clients whose connections are accepted at the moment when the listener stops.

import { newMemoryPair } from "../../testing/memory_pair.ts";
import { SmtpClient } from "../../testing/client.ts";
import { mustHappen } from "../../testing/deadline.ts";
import type { SmtpEvent } from "../../smtp/events.ts";
import { serveAt } from "../../smtp/listener.ts";
import type { ServeSmtpOptions } from "../../smtp/options.ts";
import { type PeerConn, portsOf } from "../../smtp/ports.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A listener at a port where one client comes in when the test says so. */
function start(options: Partial<ServeSmtpOptions> = {}) {
  const events: SmtpEvent[] = [];
  const { promise: accepted, resolve } = Promise.withResolvers<PeerConn>();
  const arrivals = [accepted];
  const port = {
    tls: false,
    address: { hostname: "127.0.0.1", port: 25 },
    accept: () => arrivals.shift() ?? Promise.reject(new Error("closed")),
    close: () => {},
  };
  const server = serveAt(
    () => portsOf([port], () => {}),
    {
      provider: () => "authOk",
      onEvent: (event) => events.push(event),
      ...options,
    },
    () => {},
  );
  const arrive = () => {
    const [near, far] = newMemoryPair();
    const localAddr = { hostname: "127.0.0.1" };
    resolve({ ...far, localAddr, remoteAddr: { hostname: "192.0.2.7" } });
    return new SmtpClient(near);
  };
  return { server, events, arrive };
}

/** How the connections have ended. */
function reasons(events: readonly SmtpEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === "closed" ? [event.reason] : []
  );
}

Deno.test("a client that comes in as the listener stops is closed, and not waited for", async () => {
  const { server, events, arrive } = start();
  const finished = server.shutdown();
  using client = arrive();
  const ended = Promise.all([client.expectEnd(), finished]);
  // After nine seconds it would be cut off in any case.
  await mustHappen(ended, "the listener ends", 5_000);
  assertEquals(reasons(events), ["shutdown"]);
});

Deno.test("a client that comes in as the listener is aborted is closed", async () => {
  const abort = new AbortController();
  const { server, events, arrive } = start({ signal: abort.signal });
  abort.abort();
  using client = arrive();
  await client.expectEnd();
  await mustHappen(server.finished, "the listener ends");
  assertEquals(reasons(events), ["shutdown"]);
});
