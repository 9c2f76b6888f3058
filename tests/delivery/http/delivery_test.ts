import {
  type HTTPDeliveryOptions,
  newHTTPDelivery,
} from "../../../delivery/http/delivery.ts";
import type { SmtpReply } from "../../../smtp/protocol/replies.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertThrows,
} from "../../support/assert.ts";
import {
  messageOf,
  newFeed,
  serveRawHttp,
} from "../../support/http_delivery.ts";
import { newClock } from "../../support/clock.ts";
import { holdRefusedPort } from "../../support/raw_end.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const MESSAGE = "Subject: x\r\n\r\ntext\r\n";

interface SeenForm {
  readonly headers: Headers;
  readonly envelope: unknown;
  readonly type: string;
  readonly name: string;
  readonly message: Uint8Array;
}

/** An endpoint as operators write it, and a delivery to it. */
function serveForms(
  answer: (form: SeenForm) => Response = () => new Response(),
  options: Partial<HTTPDeliveryOptions> = {},
) {
  const forms: SeenForm[] = [];
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const form = await request.formData();
      const file = form.get("message");
      if (!(file instanceof File)) throw new Error("message is no file");
      const seen = {
        headers: request.headers,
        envelope: JSON.parse(String(form.get("envelope"))),
        type: file.type,
        name: file.name,
        message: await file.bytes(),
      };
      forms.push(seen);
      return answer(seen);
    },
  );
  const deliver = newHTTPDelivery({
    url: `http://127.0.0.1:${server.addr.port}/mail?tenant=7`,
    serverName: "mail.example.org",
    ...options,
  });
  return {
    forms,
    deliver,
    [Symbol.asyncDispose]: async () => {
      deliver[Symbol.dispose]();
      await server.shutdown();
    },
  };
}

/** What is behind our `Received` in a message. */
function behindReceived(message: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(message);
  const [, rest] =
    /^Received: from laptop \(\[192\.0\.2\.7\]\)\r\n\tby mail\.example\.org with ESMTPSA id [0-9a-f-]{36};\r\n\t[^\r\n]+\r\n([^]*)$/
      .exec(text) ?? [];
  assert(rest !== undefined, text.slice(0, 300));
  return rest;
}

Deno.test("newHTTPDelivery() posts a form of envelope and message", async () => {
  await using end = serveForms(() => Response.json({ id: "m-17" }), {
    bearerToken: "s3cret",
  });
  assertEquals(await end.deliver(messageOf("Subject: x\r\n", "\r\ntext\r\n")), {
    code: 250,
    enhanced: "2.0.0",
    text: "Accepted as m-17",
  });
  const [form] = end.forms;
  assert(form !== undefined);
  const id = form.headers.get("idempotency-key");
  assertEquals(form.headers.get("authorization"), "Bearer s3cret");
  assertEquals(form.headers.get("accept"), "application/json");
  assertEquals(form.envelope, {
    id,
    sender: "ann@example.org",
    recipients: ["bob@example.net", "eve@example.net"],
    user: "ann",
    context: { tenant: 7 },
    remoteIp: "192.0.2.7",
    heloName: "laptop",
    tls: true,
    parameters: { size: 1_000, body: "8BITMIME" },
  });
  assertEquals([form.type, form.name], ["message/rfc822", "message.eml"]);
  assertEquals(behindReceived(form.message), MESSAGE);
});

Deno.test("newHTTPDelivery() gives each message an id of its own, and tells it where the endpoint has none", async () => {
  await using end = serveForms();
  const replies: (void | SmtpReply)[] = [];
  for (let i = 0; i < 2; i++) {
    replies.push(await end.deliver(messageOf(MESSAGE)));
  }
  const ids = end.forms.map(({ headers }) => headers.get("idempotency-key"));
  assertEquals(new Set(ids).size, 2);
  assertEquals(
    replies.map((reply) => reply?.text),
    ids.map((id) => `Accepted as ${id}`),
  );
});

Deno.test("newHTTPDelivery() asks for the token with each message", async () => {
  const tokens = ["one", "two"];
  await using end = serveForms(undefined, {
    bearerToken: () => tokens.shift() ?? "",
  });
  for (let i = 0; i < 2; i++) await end.deliver(messageOf(MESSAGE));
  assertEquals(
    end.forms.map(({ headers }) => headers.get("authorization")),
    ["Bearer one", "Bearer two"],
  );
});

Deno.test("newHTTPDelivery() leaves every octet of the message as it is", async () => {
  await using end = serveForms();
  const decoder = new TextDecoder("latin1");
  const pieces = Array.from(
    { length: 60 },
    (_, n) => Uint8Array.from({ length: 1 + n * 1_000 }, (_, i) => i * 7 + n),
  );
  // Whoever takes them may free their memory.
  const expected = pieces.map((piece) => decoder.decode(piece)).join("");
  await end.deliver(messageOf("Subject: x\r\n\r\n", ...pieces));
  const text = behindReceived(end.forms[0]?.message ?? new Uint8Array());
  assert(text === `Subject: x\r\n\r\n${expected}`);
});

Deno.test("newHTTPDelivery() keeps a text without a header apart from our line, in whatever pieces it comes", async () => {
  await using end = serveForms();
  for (
    const [pieces, expected] of [
      [["no header\r\n"], "\r\nno header\r\n"],
      [["no", " header", "\r\n"], "\r\nno header\r\n"],
      [["Sub", "ject", ": x\r\n\r\n"], "Subject: x\r\n\r\n"],
      [["\r", "\ntext\r\n"], "\r\ntext\r\n"],
      [["text"], "\r\ntext"],
      [[], ""],
    ] as const
  ) {
    await end.deliver(messageOf(...pieces));
    const form = end.forms.pop();
    assertEquals(behindReceived(form?.message ?? new Uint8Array()), expected);
  }
});

Deno.test("newHTTPDelivery() hands an endpoint's refusal to the client", async () => {
  const reply = { code: 550, enhanced: "5.1.1", text: "nobody of that name" };
  await using own = serveForms(() => Response.json({ reply }, { status: 422 }));
  assertEquals(await own.deliver(messageOf(MESSAGE)), reply);
  await using large = serveForms(() => new Response("x", { status: 413 }));
  assertEquals(await large.deliver(messageOf(MESSAGE)), {
    code: 552,
    enhanced: "5.3.4",
    text: "Message too large",
  });
});

/** What the log hears of a delivery that fails. */
async function failure(work: () => unknown): Promise<string> {
  const { message } = await assertRejects(async () => {
    await work();
  }, Error);
  return message;
}

Deno.test("newHTTPDelivery() throws what only the log is to learn, and no secret", async () => {
  await using end = serveForms(() => new Response("s3cret", { status: 503 }), {
    bearerToken: "s3cret",
  });
  assertEquals(
    await failure(() => end.deliver(messageOf(MESSAGE))),
    "the endpoint cannot take mail: it answers 503",
  );
  await using long = serveForms(() => new Response("x".repeat(65_537)));
  assertEquals(
    await failure(() => long.deliver(messageOf(MESSAGE))),
    "the endpoint cannot take mail: its answer is over 64 KiB",
  );
  using port = await holdRefusedPort();
  using deliver = newHTTPDelivery({ url: `http://${port.host}/s3cret` });
  assertEquals(
    await failure(() => deliver(messageOf(MESSAGE))),
    "the endpoint cannot take mail: refused",
  );
});

Deno.test("newHTTPDelivery() follows no redirect", async () => {
  let followed = false;
  await using elsewhere = serveForms(() => {
    followed = true;
    return new Response();
  });
  await using end = serveForms(() =>
    new Response(null, { status: 307, headers: { location: "/elsewhere" } })
  );
  assertEquals(
    await failure(() => end.deliver(messageOf(MESSAGE))),
    "the endpoint cannot take mail: it redirects (307)",
  );
  assertEquals(end.forms.length, 1);
  assertFalse(followed);
  assertEquals(elsewhere.forms.length, 0);
});

Deno.test("newHTTPDelivery() never ends a form whose message breaks off", async () => {
  await using end = serveRawHttp();
  using deliver = newHTTPDelivery({ url: end.url });
  const feed = newFeed();
  const delivered = failure(() => deliver(feed.message));
  const [connection] = await Promise.all([end.accept(), feed.piece(MESSAGE)]);
  await connection.received(/text\r\n/);
  await feed.fail(new Error("the client has left"));
  assertEquals(await delivered, "the client has left");
  await connection.gone;
  assertMatch(connection.text(), /^POST \/mail HTTP\/1\.1\r\n/);
  assertMatch(connection.text(), /transfer-encoding: chunked/i);
  // Neither the form nor the request has come to its end.
  assertNotMatch(connection.text(), /--\r\n|\r\n0\r\n/);
});

Deno.test("newHTTPDelivery() hears a refusal before all is sent, and sends no more", async () => {
  await using end = serveRawHttp();
  using deliver = newHTTPDelivery({ url: end.url });
  const feed = newFeed();
  const delivered = Promise.resolve(deliver(feed.message));
  const [connection] = await Promise.all([end.accept(), feed.piece(MESSAGE)]);
  await connection.received(/text\r\n/);
  await connection.send("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
  assertEquals((await delivered)?.code, 552);
  await connection.gone;
  assertNotMatch(connection.text(), /--\r\n|\r\n0\r\n/);
});

Deno.test("newHTTPDelivery() believes no yes to what has not been read", async () => {
  await using end = serveRawHttp();
  using deliver = newHTTPDelivery({ url: end.url });
  const yes = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

  const broken = newFeed();
  const failed = failure(() => deliver(broken.message));
  const [first] = await Promise.all([end.accept(), broken.piece(MESSAGE)]);
  await first.received(/text\r\n/);
  await first.send(yes);
  await broken.fail(new Error("the client has left"));
  assertEquals(await failed, "the client has left");

  const whole = newFeed();
  const delivered = Promise.resolve(deliver(whole.message));
  const [second] = await Promise.all([end.accept(), whole.piece(MESSAGE)]);
  await second.received(/text\r\n/);
  await second.send(yes);
  await whole.piece("more\r\n");
  await second.received(/more\r\n/);
  await whole.end();
  assertEquals((await delivered)?.code, 250);
  await second.received(/--\r\n/);
});

for (
  const [what, act] of [
    ["closes without an answer", "close"],
    ["answers what is not HTTP", "SSH-2.0-x\r\n\r\n"],
    ["dies in the head of its answer", "HTTP/1.1 200 OK\r\ncontent-"],
    ["dies in its answer", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}"],
  ] as const
) {
  Deno.test(`newHTTPDelivery() can't tell anything where the endpoint ${what}`, async () => {
    await using end = serveRawHttp();
    using deliver = newHTTPDelivery({ url: end.url });
    const delivered = failure(() => deliver(messageOf(MESSAGE)));
    const connection = await end.accept();
    await connection.received(/--\r\n/);
    if (act !== "close") await connection.send(act);
    connection.close();
    assertMatch(await delivered, /^the endpoint cannot take mail: /);
  });
}

Deno.test("newHTTPDelivery() gives up an endpoint that does not answer when it has all", async () => {
  await using end = serveRawHttp();
  using deliver = newHTTPDelivery({ url: end.url, timeoutMs: 5_000 });
  using clock = newClock();
  const delivered = failure(() => deliver(messageOf(MESSAGE)));
  const connection = await end.accept();
  await connection.received(/--\r\n\r\n0\r\n\r\n/);
  assertEquals(clock.timers(), [5_000]);
  clock.wind(5_000);
  assertEquals(await delivered, "the endpoint did nothing for 5000 ms");
  assertEquals(clock.timers(), []);
  await connection.gone;
});

Deno.test("newHTTPDelivery() gives up an endpoint that takes no octets", async () => {
  const asked = Promise.withResolvers<ReadableStreamDefaultReader>();
  using deliver = newHTTPDelivery({
    url: "http://intranet.example/",
    timeoutMs: 5_000,
    // Heeds not even the end of its time.
    fetch: (_, { body } = {}) => {
      assert(body instanceof ReadableStream);
      asked.resolve(body.getReader());
      return new Promise(() => {});
    },
  });
  using clock = newClock();
  const feed = newFeed();
  const delivered = failure(() => deliver(feed.message));
  const endpoint = await asked.promise;
  clock.wind(4_999);
  const [read] = await Promise.all([endpoint.read(), feed.piece(MESSAGE)]);
  assertEquals(read.done, false);
  assertEquals(clock.timers(), [5_000]);
  clock.wind(4_999);
  assertEquals(clock.timers(), [1]);
  clock.wind(1);
  assertEquals(await delivered, "the endpoint did nothing for 5000 ms");
  assertEquals(clock.timers(), []);
  await assertRejects(() => endpoint.read(), Error, "broken off");
});

Deno.test("newHTTPDelivery() leaves a slow client all the time that it needs", async () => {
  await using end = serveForms(undefined, { timeoutMs: 5_000 });
  using clock = newClock();
  const feed = newFeed();
  const delivered = Promise.resolve(end.deliver(feed.message));
  for (const piece of ["Subject: x\r\n", "\r\n", "text\r\n"]) {
    // Nothing runs out while the client has its turn.
    await clock.hasTimers(0);
    clock.wind(1_000_000);
    await feed.piece(piece);
  }
  await feed.end();
  assertEquals((await delivered)?.code, 250);
  assertEquals(clock.timers(), []);
});

Deno.test("newHTTPDelivery() checks its options", () => {
  for (
    const url of [
      "",
      "intranet.example",
      "ftp://intranet.example/",
      "https://ann:s3cret@intranet.example/",
      "http://intranet.example:10080/",
    ]
  ) {
    assertThrows(
      () => newHTTPDelivery({ url }),
      TypeError,
      "Cannot create HTTP delivery: url must be an http: or https: URL without credentials and without a port that fetch blocks: got a",
    );
  }
  const url = "https://intranet.example/";
  assertThrows(
    () => newHTTPDelivery({ url, bearerToken: "s3c ret" }),
    TypeError,
    "Cannot create HTTP delivery: bearerToken must be visible ASCII characters without spaces",
  );
  assertThrows(
    () => newHTTPDelivery({ url, timeoutMs: 0 }),
    RangeError,
    "Cannot create HTTP delivery: timeoutMs must be a number > 0",
  );
});
