import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { begun, newTestRelay, streamOf } from "../../support/relay.ts";
import { MAIL } from "../../support/relay_session.ts";
import { serveHop } from "../../support/scripted_hop.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A message whose client leaves after so many octets. */
function leavingAt(
  message: string,
  octets: number,
): ReturnType<typeof streamOf> {
  return streamOf(function* () {
    if (octets > 0) yield message.slice(0, octets);
    throw new Error("the client has left");
  }());
}

Deno.test("newRelay() never ends a message of a client that leaves, at whatever octet", async () => {
  const message = "Subject: .\r\n\r\n.\r\n..\r\n\r\n.\r\nQUIT\r\n.\r\n";
  await using hop = serveHop();
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  for (let octets = 0; octets <= message.length; octets++) {
    const transfer = await begun(relay);
    await transfer.recipient?.("bob@example.net");
    const envelope = { ...MAIL, recipients: ["bob@example.net"] };
    const error = await Promise.resolve(
      transfer.message({ envelope, body: leavingAt(message, octets) }),
    ).then(() => undefined, (error) => error.message);
    assertEquals(error, "the client has left");
    await hop.idle();
    assertEquals(hop.messages(), []);
    assert(!hop.lines().includes("."), `${octets} octets`);
    assert(!hop.lines().includes("QUIT"), `${octets} octets`);
  }
  assertEquals(hop.connections(), message.length + 1);
  assertEquals(relay.events, []);
});

Deno.test("newRelay() drops the connection of a client that leaves while the next hop does not read", async () => {
  await using hop = serveHop({ script: { body: { then: "deaf" } } });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const transfer = await begun(relay);
  await transfer.recipient?.("bob@example.net");
  const piece = new Uint8Array(1 << 20);
  const left = Promise.withResolvers<never>();
  let pulls = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      left.promise.catch((error) => controller.error(error));
    },
    pull: (controller) => {
      pulls++;
      controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
  const envelope = { ...MAIL, recipients: ["bob@example.net"] };
  const sent = Promise.resolve(transfer.message({ envelope, body }));
  let seen = -1;
  await eventually("the sockets are full", async () => {
    if (pulls > 0 && pulls === seen) return true;
    seen = pulls;
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  left.reject(new Error("the client has left"));
  await assertRejects(() => sent, Error, "the client has left");
  assertEquals(relay.events, []);
});

Deno.test("newRelay() drops the connection of a client that leaves before the next hop has said 354", async () => {
  await using hop = serveHop({ script: { DATA: { then: "hang" } } });
  using relay = newTestRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const transfer = await begun(relay);
  await transfer.recipient?.("bob@example.net");
  const left = Promise.withResolvers<never>();
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      left.promise.catch((error) => controller.error(error));
    },
  });
  const envelope = { ...MAIL, recipients: ["bob@example.net"] };
  const sent = Promise.resolve(transfer.message({ envelope, body }));
  left.reject(new Error("the client has left"));
  await assertRejects(
    () => mustHappen(sent, "the end"),
    Error,
    "the client has left",
  );
  assertEquals(relay.events, []);
});
