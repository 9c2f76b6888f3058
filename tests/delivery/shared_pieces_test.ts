// A body that somebody else has made, or reads as well: its pieces are not the
// destination's to free.

import { newHTTPDelivery } from "../../delivery/http/delivery.ts";
import { openMaildir } from "../../delivery/maildir.ts";
import { newRelay } from "../../delivery/relay/relay.ts";
import { isOwnBody, MessageBody } from "../../smtp/body.ts";
import type { Deliver } from "../../smtp/delivery.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { ENVELOPE } from "../support/http_delivery.ts";
import { temporaryFolder } from "../support/listener.ts";
import { begun } from "../support/relay.ts";
import { serveHop } from "../support/scripted_hop.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Large enough to be freed where that may be. */
const PIECE = new TextEncoder().encode(`X: ${"y".repeat(40_000)}\r\n`);

/** Sends a message of the same piece twice; says what has come. */
type Send = (
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  cleanUp: AsyncDisposableStack,
) => Promise<string>;

const intoMaildir: Send = async (body, cleanUp) => {
  const folder = temporaryFolder(cleanUp);
  await openMaildir(folder)({ envelope: ENVELOPE, body });
  const [file] = Deno.readDirSync(`${folder}/new`);
  return Deno.readTextFileSync(`${folder}/new/${file?.name}`);
};

const throughRelay: Send = async (body, cleanUp) => {
  const hop = cleanUp.use(serveHop());
  const relay = newRelay({ url: `smtp://127.0.0.1:${hop.port}` });
  const transfer = await begun(relay);
  await transfer.recipient?.("bob@example.net");
  await transfer.message({ envelope: ENVELOPE, body });
  relay.close();
  await hop.idle();
  return hop.messages().join();
};

const toEndpoint: Send = async (body, cleanUp) => {
  let text = "";
  const end = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      text = await request.text();
      return new Response();
    },
  );
  cleanUp.defer(() => end.shutdown());
  const url = `http://127.0.0.1:${end.addr.port}/`;
  using deliver = newHTTPDelivery({ url });
  const send: Deliver = deliver;
  await send({ envelope: ENVELOPE, body });
  return text;
};

for (
  const [name, send] of [
    ["openMaildir()", intoMaildir],
    ["newRelay()", throughRelay],
    ["newHTTPDelivery()", toEndpoint],
  ] as const
) {
  Deno.test(`${name} frees no piece of a body that is not the listener's own`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const got = await send(ReadableStream.from([PIECE, PIECE]), cleanUp);
    assertEquals(got.match(/y{40000}/g)?.length, 2);
  });

  Deno.test(`${name} leaves the other branch of a body its pieces`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const body = new MessageBody();
    const [ours, other] = body.stream.tee();
    const sent = send(ours, cleanUp);
    await body.push(PIECE.slice());
    body.end();
    const got = await sent;
    assertEquals(got.match(/y{40000}/g)?.length, 1);
    assertEquals(await new Response(other).bytes(), PIECE);
  });

  Deno.test(`${name} frees the pieces of a listener's body`, async () => {
    await using cleanUp = new AsyncDisposableStack();
    const body = new MessageBody();
    const [first, last] = [PIECE.slice(), PIECE.slice()];
    const sent = send(body.stream, cleanUp);
    await body.push(first);
    await body.push(last);
    body.end();
    await sent;
    assert(last.buffer.detached);
  });
}

Deno.test("isOwnBody() knows a listener's body from what others make of it", () => {
  const { stream } = new MessageBody();
  assertEquals(isOwnBody(stream), true);
  assertEquals(stream.tee().map(isOwnBody), [false, false]);
  assertEquals(isOwnBody(ReadableStream.from([PIECE])), false);
});
