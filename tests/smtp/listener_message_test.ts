// A body is read the same way whether a listener feeds it or a stream does.

import { MessageBody } from "../../smtp/body.ts";
import { ListenerMessage, readBody } from "../../smtp/listener_message.ts";
import type { SmtpMessage } from "../../smtp/protocol/envelope.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../support/assert.ts";
import { ENVELOPE } from "../support/http_delivery.ts";

const octets = (text: string) => new TextEncoder().encode(text);

/** A message of a listener, and one that somebody else has made of it. */
const KINDS: readonly (readonly [
  string,
  (body: MessageBody) => SmtpMessage,
])[] = [
  ["a listener's message", (body) => new ListenerMessage(ENVELOPE, body)],
  ["another", ({ stream }) => ({ envelope: ENVELOPE, body: stream })],
];

for (const [kind, messageOf] of KINDS) {
  const begin = () => {
    const body = new MessageBody();
    return { body, message: messageOf(body) };
  };

  Deno.test(`readBody() reads ${kind} piece by piece to its end`, async () => {
    const { body, message } = begin();
    const reader = readBody(message);
    const first = reader.read();
    await body.push(octets("one"));
    assertEquals(await first, octets("one"));
    const pushed = body.push(octets("two"));
    assertEquals(await reader.read(), octets("two"));
    await pushed;
    body.end();
    assertEquals(await reader.read(), null);
    assertEquals(await reader.read(), null);
  });

  Deno.test(`readBody() has what was on its way when ${kind} ended`, async () => {
    const { body, message } = begin();
    const reader = readBody(message);
    const first = reader.read();
    await body.push(octets("all"));
    body.end();
    assertEquals(await first, octets("all"));
    assertEquals(await reader.read(), null);
  });

  Deno.test(`readBody() tells that ${kind} breaks, at once and to every read`, async () => {
    const { body, message } = begin();
    const reader = readBody(message);
    const broken = new Promise<void>((resolve) => reader.onBroken(resolve));
    const reading = reader.read();
    body.fail(new Error("the client has left"));
    await broken;
    await assertRejects(() => reading, Error, "the client has left");
    await assertRejects(() => reader.read(), Error, "the client has left");
  });

  Deno.test(`readBody() tells it also of ${kind} that was broken before`, async () => {
    const { body, message } = begin();
    body.fail(new Error("too large"));
    const reader = readBody(message);
    await new Promise<void>((resolve) => reader.onBroken(resolve));
    await assertRejects(() => reader.read(), Error, "too large");
  });

  Deno.test(`readBody() ends a read of ${kind} that is cancelled`, async () => {
    const { body, message } = begin();
    const reader = readBody(message);
    const reading = reader.read();
    reader.cancel();
    assertEquals(await reading, null);
    assertEquals(await reader.read(), null);
    assertEquals(body.push(octets("x")), undefined);
    assertEquals(body.octets, 1);
  });

  Deno.test(`readBody() stores a large piece of ${kind} before another comes`, async () => {
    const { body, message } = begin();
    const reader = readBody(message);
    const first = reader.read();
    let isStored = false;
    const pushed = body.push(new Uint8Array(20_000))
      ?.then(() => isStored = true);
    assertEquals((await first)?.length, 20_000);
    for (let i = 0; i < 20; i++) await Promise.resolve();
    assertEquals(isStored, false);
    const second = reader.read();
    await pushed;
    body.end();
    assertEquals(await second, null);
  });

  Deno.test(`readBody() takes no second reader for ${kind}`, () => {
    const { message } = begin();
    readBody(message);
    assertThrows(() => readBody(message), TypeError);
    assert(message.body.locked);
  });
}

Deno.test("readBody() knows whose pieces may be freed", () => {
  const body = new MessageBody();
  assertEquals(readBody(new ListenerMessage(ENVELOPE, body)).isOwn, true);
  const { stream } = new MessageBody();
  const [branch, other] = new MessageBody().stream.tee();
  assertEquals(readBody({ envelope: ENVELOPE, body: stream }).isOwn, true);
  for (const each of [branch, other, ReadableStream.from([octets("x")])]) {
    assertEquals(readBody({ envelope: ENVELOPE, body: each }).isOwn, false);
  }
});

Deno.test("readBody() reads a listener's message by the stream that somebody has looked at", async () => {
  const body = new MessageBody();
  const message = new ListenerMessage(ENVELOPE, body);
  assertEquals(message.body.locked, false);
  const reader = readBody(message);
  assertEquals(message.body.locked, true);
  const first = reader.read();
  await body.push(octets("x"));
  body.end();
  assertEquals(await first, octets("x"));
  assertEquals(await reader.read(), null);
});
