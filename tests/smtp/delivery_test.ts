import type { SmtpReply } from "../../auth/replies.ts";
import { type Deliver, startDelivery } from "../../smtp/delivery.ts";
import type { Envelope } from "../../smtp/protocol/envelope.ts";
import * as replies from "../../smtp/protocol/replies.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

const ENVELOPE: Envelope = {
  sender: "ann@example.com",
  recipients: ["bob@example.org"],
  parameters: {},
  remoteIp: "192.0.2.7",
  heloName: "laptop",
  esmtp: true,
  tls: false,
};

const octets = (text: string) => new TextEncoder().encode(text);

Deno.test("startDelivery() hands the body over piece by piece, and waits for the reader", async () => {
  let readOn = () => {};
  const paused = new Promise<void>((resolve) => readOn = resolve);
  const seen: string[] = [];
  const { body, result } = startDelivery(async ({ body }) => {
    const reader = body.getReader();
    const first = await reader.read();
    seen.push(new TextDecoder().decode(first.value));
    await paused;
    const second = await reader.read();
    seen.push(new TextDecoder().decode(second.value));
    assertEquals((await reader.read()).done, true);
  }, ENVELOPE);

  await body.push(octets("one"));
  let pushed = false;
  const second = body.push(octets("two"))?.then(() => pushed = true);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assertEquals(pushed, false);
  readOn();
  await second;
  body.end();
  assertEquals(await result, { reply: replies.accepted });
  assertEquals(seen, ["one", "two"]);
  assertEquals(body.octets, 6);
});

Deno.test("startDelivery() throws away what nobody reads", async () => {
  for (
    const deliver of [
      () => {},
      ({ body }) => body.cancel(),
      async ({ body }) => void await body.getReader().read(),
    ] satisfies Deliver[]
  ) {
    const { body, result } = startDelivery(deliver, ENVELOPE);
    for (let i = 0; i < 5; i++) await body.push(octets("x"));
    body.end();
    assertEquals(await result, { reply: replies.accepted });
  }
});

Deno.test("startDelivery() waits with the next piece until a large one is stored", async () => {
  let store = () => {};
  const storing = new Promise<void>((resolve) => store = resolve);
  const { body, result } = startDelivery(async ({ body }) => {
    const reader = body.getReader();
    while (!(await reader.read()).done) await storing;
  }, ENVELOPE);

  let stored = false;
  const large = body.push(new Uint8Array(65_536))?.then(() => stored = true);
  for (let i = 0; i < 20; i++) await Promise.resolve();
  assertEquals(stored, false);
  store();
  await large;
  // Now it is waited for, and a small one goes straight to the reader.
  assertEquals(body.push(octets("small")), undefined);
  body.end();
  assertEquals(await result, { reply: replies.accepted });
  assertEquals(body.octets, 65_541);
});

Deno.test("startDelivery() gives the body to a reader who comes late", async () => {
  const { body, result } = startDelivery(async (message) => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assertEquals(await new Response(message.body).text(), "");
  }, ENVELOPE);
  body.end();
  assertEquals(await result, { reply: replies.accepted });
});

Deno.test("startDelivery() errors the body of a message that is refused", async () => {
  const { body, result } = startDelivery(async (message) => {
    await assertRejects(
      () => new Response(message.body).text(),
      Error,
      "too large",
    );
  }, ENVELOPE);
  await body.push(octets("x"));
  body.fail(new Error("too large"));
  assertEquals(await result, { reply: replies.accepted });
});

Deno.test("startDelivery() takes replies, and 451 for everything else", async () => {
  const full: SmtpReply = { code: 452, enhanced: "4.3.1", text: "full" };
  const nonsense = { reply: replies.deliveryFailed };
  const notReply = "TypeError: deliver must return nothing or an SmtpReply";
  for (
    const [deliver, expected] of [
      [() => full, { reply: full }],
      [() => Promise.resolve(full), { reply: full }],
      [() => {
        throw new RangeError("no");
      }, { ...nonsense, error: "RangeError: no" }],
      [() => Promise.reject(new Error("late")), {
        ...nonsense,
        error: "Error: late",
      }],
      [() => Promise.reject("text"), { ...nonsense, error: "text" }],
      [() => ({ code: 354, text: "go on" }), { ...nonsense, error: notReply }],
      [() => ({ code: 250.5, text: "" }), { ...nonsense, error: notReply }],
      [() => ({ code: 250, enhanced: "2", text: "" }), {
        ...nonsense,
        error: notReply,
      }],
    ] satisfies [Deliver, unknown][]
  ) {
    assertEquals(await startDelivery(deliver, ENVELOPE).result, expected);
  }
});
