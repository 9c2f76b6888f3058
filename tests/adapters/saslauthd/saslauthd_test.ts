import type {
  AuthDecision,
  AuthProvider,
  AuthRequest,
} from "../../../auth/types.ts";
import type { AuthServer } from "../../../adapters/socket_server.ts";
import { newsOf, withoutIds } from "../../support/events.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import type { AuthReason } from "../../../auth/reasons.ts";
import {
  formatSaslauthdAnswer,
  readSaslauthdRequest,
} from "../../../adapters/saslauthd/protocol.ts";
import { serveSaslauthd } from "../../../adapters/saslauthd/server.ts";
import { writeAll } from "../../../net/conn.ts";
import { nextTurn } from "../../../lib/next_turn.ts";
import { SASL_ERRORS } from "../../../auth/sasl/steps.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { connectTo } from "../../support/line_client.ts";
import { temporaryFolder } from "../../support/listener.ts";
import { newRandom, pick } from "../../support/random.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const encoder = new TextEncoder();

/** Fields as they are written: a 16-bit length each. */
function fields(...texts: readonly (string | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(texts.flatMap((text) => {
    const octets = typeof text === "string" ? encoder.encode(text) : text;
    return [octets.length >> 8, octets.length & 0xff, ...octets];
  }));
}

const JOE: AuthRequest = {
  username: "joe@realm",
  password: "ok",
  mechanism: "PLAIN",
  remoteIp: "",
  heloName: "",
};

Deno.test("readSaslauthdRequest() reads what testsaslauthd wrote", () => {
  const octets = Uint8Array.from(
    "\0\x03joe\0\x02ok\0\x04smtp\0\x05realm",
    (c) => c.charCodeAt(0),
  );
  assertEquals(readSaslauthdRequest(octets), { kind: "request", request: JOE });
  for (let length = 0; length < octets.length; length++) {
    const part = octets.subarray(0, length);
    assertEquals(readSaslauthdRequest(part), { kind: "more" });
  }
});

Deno.test("readSaslauthdRequest() takes a fifth field that is there", () => {
  const rows = [
    [fields("joe", "ok", "smtp", "realm", "192.0.2.7;4711"), "192.0.2.7"],
    [fields("joe", "ok", "smtp", "realm", "::ffff:192.0.2.7;1"), "192.0.2.7"],
    [fields("joe", "ok", "smtp", "realm", "2001:db8::1;1"), "2001:db8::1"],
    [fields("joe", "ok", "smtp", "realm", "nonsense"), ""],
    [
      fields("joe", "ok", "smtp", "realm", "192.0.2.7;4711").subarray(0, -1),
      "",
    ],
  ] as const;
  for (const [octets, remoteIp] of rows) {
    assertEquals(readSaslauthdRequest(octets), {
      kind: "request",
      request: { ...JOE, remoteIp },
    });
  }
});

Deno.test("readSaslauthdRequest() joins user and realm", () => {
  const rows = [
    ["ann", "", "ann"],
    ["ann", "example.com", "ann@example.com"],
    ["jörg", "例え.jp", "jörg@例え.jp"],
  ] as const;
  for (const [user, realm, username] of rows) {
    const read = readSaslauthdRequest(fields(user, "pä", "smtp", realm));
    assert(read.kind === "request");
    assertEquals([read.request.username, read.request.password], [
      username,
      "pä",
    ]);
  }
});

Deno.test("readSaslauthdRequest() does not ask about what no user can mean", () => {
  const rows = [
    [fields("", "ok", "smtp", ""), SASL_ERRORS.malformed],
    [fields("", "ok", "smtp", "realm"), SASL_ERRORS.malformed],
    [fields("joe", "", "smtp", ""), SASL_ERRORS.malformed],
    [fields("j\toe", "ok", "smtp", ""), SASL_ERRORS.malformed],
    [fields("joe", "o\0k", "smtp", ""), SASL_ERRORS.malformed],
    [fields("joe", "ok", "smtp", "a\nb"), SASL_ERRORS.malformed],
    [fields(Uint8Array.of(0xff), "ok", "smtp", ""), SASL_ERRORS.notUTF8],
    [fields("joe", Uint8Array.of(0xe4), "smtp", ""), SASL_ERRORS.notUTF8],
    [fields("joe", "ok", "smtp", Uint8Array.of(0xe4)), SASL_ERRORS.notUTF8],
  ] as const;
  for (const [octets, error] of rows) {
    assertEquals(readSaslauthdRequest(octets), {
      kind: "impossible",
      error,
      remoteIp: "",
    });
  }
});

Deno.test("readSaslauthdRequest() refuses what is too long", () => {
  const long = "x".repeat(1_025);
  const most = "x".repeat(1_024);
  assertEquals(readSaslauthdRequest(fields(long)).kind, "bad");
  assertEquals(
    readSaslauthdRequest(fields("joe", "ok", "smtp", "", long)).kind,
    "request",
  );
  assertEquals(
    readSaslauthdRequest(fields(most, most, most, most)).kind,
    "request",
  );
});

Deno.test("readSaslauthdRequest() bears random octets (seeded)", () => {
  for (let seed = 1; seed <= 5_000; seed++) {
    const random = newRandom(seed);
    const octets = Uint8Array.from(
      { length: random(40) },
      () => pick(random, [0, 0, 0, 1, 2, 3, 4, 0x61, 0x40, 0xff]),
    );
    const { kind } = readSaslauthdRequest(octets);
    assert(["more", "bad", "impossible", "request"].includes(kind));
  }
});

Deno.test("formatSaslauthdAnswer() puts the length in front", () => {
  assertEquals([...formatSaslauthdAnswer("OK")], [0, 2, 0x4f, 0x4b]);
  assertEquals([...formatSaslauthdAnswer("NO")], [0, 2, 0x4e, 0x4f]);
});

/** What a server that decides so says to the octets, split in two anywhere. */
async function answer(
  octets: Uint8Array,
  provider: AuthProvider,
  at = octets.length,
): Promise<[string, ServerEvent[]]> {
  using cleanUp = new DisposableStack();
  const events: ServerEvent[] = [];
  await using server: AuthServer = await serveSaslauthd({
    path: `${temporaryFolder(cleanUp)}/mux`,
    provider,
    timeoutMs: 50,
    onEvent: (event) => events.push(event),
  });
  using client = await connectTo(server);
  await client.send(octets.subarray(0, at));
  if (at < octets.length) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await client.send(octets.subarray(at));
  }
  return [await client.end(), events];
}

Deno.test("serveSaslauthd() answers OK and NO, and closes when nobody can tell", async () => {
  const octets = fields("joe", "ok", "smtp", "realm");
  const rows: readonly (readonly [AuthProvider, string, AuthReason])[] = [
    [() => "authOk", "\0\x02OK", "ok"],
    [() => "authInvalid", "\0\x02NO", "wrong-credentials"],
    [() => "authFailure", "", "provider-failure"],
    [() => Promise.reject(new Error("down")), "", "provider-error"],
    [() => new Promise<AuthDecision>(() => {}), "", "backend-timeout"],
  ];
  for (const [decide, expected, reason] of rows) {
    const [text, events] = await answer(octets, decide);
    const event = events.find(({ kind }) => kind === "auth");
    assertEquals(text, expected);
    assert(event?.kind === "auth");
    assertEquals([event.via, event.reason, event.username], [
      "saslauthd",
      reason,
      "joe@realm",
    ]);
  }
});

Deno.test("serveSaslauthd() resets no TCP connection that it has answered", async () => {
  const rows: readonly (readonly [Uint8Array, AuthDecision, string])[] = [
    [fields("joe", "ok", "smtp", "realm"), "authOk", "\0\x02OK"],
    [fields("joe", "ok", "smtp", "realm"), "authInvalid", "\0\x02NO"],
    [fields("joe", Uint8Array.of(0xff), "smtp", ""), "authOk", "\0\x02NO"],
  ];
  for (const [octets, decision, expected] of rows) {
    await using server = await serveSaslauthd({
      hostname: "127.0.0.1",
      port: 0,
      provider: () => decision,
    });
    const [address] = server.addrs;
    assert(address?.transport === "tcp");
    const conn = await Deno.connect(address);
    await writeAll(conn, octets);
    // A reset would make this reject.
    assertEquals(await new Response(conn.readable).text(), expected);
  }
});

Deno.test("serveSaslauthd() answers who has closed the sending half", async () => {
  const asked = Promise.withResolvers<void>();
  const decision = Promise.withResolvers<AuthDecision>();
  const signals: (AbortSignal | undefined)[] = [];
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/mux`;
  await using _server = await serveSaslauthd({
    path,
    provider: (_request, signal) => {
      signals.push(signal);
      asked.resolve();
      return decision.promise;
    },
  });
  const conn = await Deno.connect({ transport: "unix", path });
  await writeAll(conn, fields("joe", "ok", "smtp", "realm"));
  await conn.closeWrite();
  await asked.promise;
  // Long enough for the end to have been read, if it is not there yet.
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  assertEquals(signals.map((signal) => signal?.aborted), [false]);
  decision.resolve("authOk");
  assertEquals(await new Response(conn.readable).text(), "\0\x02OK");
});

Deno.test("serveSaslauthd() takes a request in pieces", async () => {
  const octets = fields("joe", "ok", "smtp", "realm");
  for (const at of [1, 2, 5, 12]) {
    assertEquals((await answer(octets, () => "authOk", at))[0], "\0\x02OK");
  }
});

Deno.test("serveSaslauthd() says NO to what no user can mean", async () => {
  const [text, [, event]] = await answer(
    fields("joe", Uint8Array.of(0xff), "smtp", ""),
    () => "authOk",
  );
  assertEquals(text, "\0\x02NO");
  assert(event?.kind === "auth");
  assertEquals([event.outcome, event.reason], ["invalid", "bad-utf8"]);
});

Deno.test("serveSaslauthd() closes on rubbish", async () => {
  const [text, events] = await answer(
    Uint8Array.of(0xff, 0xff, 0),
    () => "authOk",
  );
  assertEquals(text, "");
  assertEquals(withoutIds(newsOf(events)), [{
    kind: "closed",
    via: "saslauthd",
    reason: "bad-protocol",
    remoteIp: "",
  }]);
});

Deno.test("shutdown() does not wait for a request that never comes", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/mux`;
  const server = await serveSaslauthd({ path, provider: () => "authOk" });
  using client = await connectTo(server);
  await client.send(Uint8Array.of(0));
  await new Promise((resolve) => setTimeout(resolve, 5));
  const began = performance.now();
  await server.shutdown();
  assert(performance.now() - began < 2_000);
  assertEquals(await client.end(), "");
});
