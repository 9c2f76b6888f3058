// A next hop that says its replies octet by octet, or octets that nobody asked for:
// no time limit begins anew for that, and none is forgotten.

import { checkedRelayOptions } from "../../../delivery/relay/options.ts";
import { newRelayIn } from "../../../delivery/relay/relay.ts";
import { assertEquals } from "../../support/assert.ts";
import { HandConn, settled } from "../../support/hand_conn.ts";
import { newManualDeadlines } from "../../support/manual_deadlines.ts";
import { begun, send, streamOf } from "../../support/relay.ts";
import { MAIL } from "../../support/relay_session.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A relay on a connection that a test moves by hand. */
function newHandRelay() {
  const conn = new HandConn();
  const deadlines = newManualDeadlines();
  /** The limits that have begun, in milliseconds. */
  const begun: number[] = [];
  const relay = newRelayIn(checkedRelayOptions({ url: "smtp://hop" }), {
    dialler: {
      connect: () => Promise.resolve({ conn, loopback: true }),
      expectTls: () => {},
    },
    deadlines: {
      watch(watched) {
        const deadline = deadlines.watch(watched);
        const renew = (milliseconds: number) => {
          begun.push(milliseconds);
          deadline.renew(milliseconds);
        };
        return { ...deadline, renew };
      },
    },
  });
  const says = async (text: string) => {
    await settled();
    conn.says(text);
    await settled();
  };
  return { relay, conn, says, begun, running: deadlines.running };
}

const OPENING = ["220 hop\r\n", "250 hop\r\n"];

Deno.test("newRelay() gives a reply the same time, in however many pieces it comes", async () => {
  const { relay, conn, says, begun, running } = newHandRelay();
  const sending = send(relay);
  await settled();
  const before = begun.length;
  for (const octet of "220-hop\r\n220") await says(octet);
  assertEquals(running(), [300_000]);
  assertEquals(begun.length, before);
  await says(" hop\r\n");
  conn.close();
  assertEquals(await sending, ["451 4.4.1"]);
});

Deno.test("newRelay() gives a next hop that does not read the same time, whatever it says", async () => {
  const { relay, conn, says, running } = newHandRelay();
  const beginning = begun(relay);
  for (const reply of [...OPENING, "250 ok\r\n"]) await says(reply);
  const transfer = await beginning;
  const rcpt = transfer.recipient?.("bob@example.net");
  await says("250 ok\r\n");
  await rcpt;
  const envelope = { ...MAIL, recipients: ["bob@example.net"] };
  const body = streamOf(["x".repeat(100_000), "x"]);
  const sent = transfer.message({ envelope, body });
  await settled();
  conn.hold();
  await says("354 go\r\n");
  for (let turn = 0; turn < 10; turn++) await settled();
  assertEquals(running(), [180_000]);
  await says("2");
  assertEquals(running(), [180_000]);
  conn.close();
  assertEquals((await sent)?.enhanced, "4.4.2");
});

Deno.test("newRelay() closes a connection in time whose next hop says something at rest", async () => {
  const { relay, conn, says, running } = newHandRelay();
  const checking = relay.check();
  for (const reply of OPENING) await says(reply);
  await checking;
  assertEquals(running(), [30_000]);
  await says("2");
  assertEquals(running(), [30_000]);
  conn.close();
  await settled();
});
