// The Dovecot server on sockets, with the octets that Postfix and Exim sent.

import { withThrottle } from "../../../auth/guards/throttle/throttle.ts";
import { PLAIN } from "../../../auth/sasl/plain.ts";
import { newStaticAuthProvider } from "../../../auth/providers/static.ts";
import type { AuthDecision, AuthProvider } from "../../../auth/types.ts";
import type { AuthServer } from "../../../adapters/socket_server.ts";
import {
  type DovecotAuthOptions,
  serveDovecotAuth,
} from "../../../adapters/dovecot/server.ts";
import { newsOf, withoutIds } from "../../support/events.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { eventually } from "../../support/eventually.ts";
import { connectTo, type LineClient } from "../../support/line_client.ts";
import { temporaryFolder } from "../../support/listener.ts";
import { base64 } from "../../support/octets.ts";
import { plain } from "../../../testing/client.ts";
import { TOKEN, token, WHY } from "../../support/token_mechanism.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const PROVIDER = newStaticAuthProvider({ ann: "secret", joe: "ok" });

/** What Postfix says on connecting. */
const POSTFIX = "VERSION\t1\t0\nCPID\t26986\n";

const FIELDS =
  "service=smtp\tnologin\tlip=127.0.0.1\trip=127.0.0.1\tresp=AGpvZQBvaw==";

function serve(options: Partial<DovecotAuthOptions> = {}): Promise<AuthServer> {
  return serveDovecotAuth({ port: 0, provider: PROVIDER, ...options });
}

/** Connects and reads the handshake. */
async function greeted(server: AuthServer): Promise<LineClient> {
  const client = await connectTo(server);
  await client.lines(7);
  return client;
}

Deno.test("serveDovecotAuth() greets at once", async () => {
  await using server = await serve();
  using client = await connectTo(server);
  const lines = await client.lines(7);
  assertEquals(lines.slice(0, 3), [
    "VERSION\t1\t2",
    "MECH\tPLAIN\tplaintext",
    "MECH\tLOGIN\tplaintext",
  ]);
  assertMatch(lines[3] ?? "", /^SPID\t[0-9]+$/);
  assertEquals(lines[4], "CUID\t1");
  assertMatch(lines[5] ?? "", /^COOKIE\t[0-9a-f]{32}$/);
  assertEquals(lines[6], "DONE");
});

Deno.test("serveDovecotAuth() lets a mechanism say why before FAIL, and tells one event", async () => {
  const events: ServerEvent[] = [];
  await using server = await serve({
    mechanisms: [PLAIN, TOKEN],
    onEvent: (event) => events.push(event),
  });
  using postfix = await connectTo(server);
  const handshake = await postfix.lines(7);
  assertEquals(handshake.slice(1, 3), [
    "MECH\tPLAIN\tplaintext",
    "MECH\tX-TOKEN\tplaintext",
  ]);
  const wrong = `service=smtp\tresp=${token("ann", "wrong")}`;
  await postfix.send(`${POSTFIX}AUTH\t1\tX-TOKEN\t${wrong}\n`);
  assertEquals(await postfix.lines(1), [`CONT\t1\t${WHY}`]);
  await postfix.send("CONT\t1\tAQ==\n");
  assertEquals(await postfix.lines(1), [
    "FAIL\t1\tuser=ann\treason=Authentication credentials invalid",
  ]);
  const told = newsOf(events).map((event) =>
    event.kind === "auth" && event.outcome
  );
  assertEquals(told, ["invalid"]);
});

Deno.test("serveDovecotAuth() lets nobody in without a name: a temporary failure, and the event says why", async () => {
  const events: ServerEvent[] = [];
  await using server = await serve({
    provider: () => "authOk",
    mechanisms: ["OAUTHBEARER"],
    onEvent: (event) => events.push(event),
  });
  using dovecot = await connectTo(server);
  await dovecot.lines(6);
  const nameless = base64("n,,\x01auth=Bearer secret\x01\x01");
  const auth = `AUTH\t1\tOAUTHBEARER\tservice=smtp\tresp=${nameless}`;
  await dovecot.send(`VERSION\t1\t2\nCPID\t1\n${auth}\n`);
  assertEquals(await dovecot.lines(1), [
    "FAIL\t1\tuser=\tcode=temp_fail\ttemp",
  ]);
  assertEquals(
    newsOf(events).map((event) =>
      event.kind === "auth" && [event.outcome, event.reason, event.detail]
    ),
    [["failure", "provider-nonsense", "user"]],
  );
});

Deno.test("serveDovecotAuth() lets all in who are right at once, through a throttle (issue 11, 7)", async () => {
  const slow: AuthProvider = () =>
    new Promise((resolve) => setTimeout(() => resolve("authOk"), 50));
  const provider = withThrottle(slow, { sharedNetworks: ["127.0.0.0/8"] });
  await using server = await serve({ provider });
  using postfix = await greeted(server);
  const ids = Array.from({ length: 100 }, (_, i) => i + 1);
  const requests = ids.map((id) => `AUTH\t${id}\tPLAIN\t${FIELDS}\n`);
  await postfix.send(POSTFIX + requests.join(""));
  assertEquals(
    (await postfix.lines(100)).toSorted(),
    ids.map((id) => `OK\t${id}\tuser=joe`).toSorted(),
  );
});

Deno.test("serveDovecotAuth() answers Postfix and Exim over unix and TCP", async () => {
  using cleanUp = new DisposableStack();
  const path = `${temporaryFolder(cleanUp)}/auth`;
  await using unix = await serveDovecotAuth({ path, provider: PROVIDER });
  await using tcp = await serve();
  for (const server of [unix, tcp]) {
    using postfix = await greeted(server);
    await postfix.send(POSTFIX);
    await postfix.send(`AUTH\t1\tPLAIN\t${FIELDS}\n`);
    assertEquals(await postfix.lines(1), ["OK\t1\tuser=joe"]);
    await postfix.send(`AUTH\t2\tPLAIN\tresp=${plain("joe", "no")}\n`);
    assertEquals(await postfix.lines(1), [
      "FAIL\t2\tuser=joe\treason=Authentication credentials invalid",
    ]);

    using exim = await greeted(server);
    // All in one write, with "secured" on plain text and an empty response.
    await exim.send(
      `VERSION\t1\t0\nCPID\t7\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=127.0.0.1\tlip=127.0.0.1\tnologin\tresp=\n`,
    );
    assertEquals(await exim.lines(1), ["CONT\t1\t"]);
    await exim.send(`CONT\t1\t${plain("joe", "ok")}\n`);
    assertEquals(await exim.lines(1), ["OK\t1\tuser=joe"]);
  }
});

Deno.test("serveDovecotAuth() closes for Postfix when nobody can tell", async () => {
  const failing: AuthProvider[] = [
    () => "authFailure",
    () => Promise.reject(new Error("down")),
    () => new Promise<AuthDecision>(() => {}),
  ];
  for (const provider of failing) {
    await using server = await serve({ provider, timeoutMs: 50 });
    using client = await greeted(server);
    await client.send(`${POSTFIX}AUTH\t1\tPLAIN\t${FIELDS}\n`);
    assertEquals(await client.end(), "");
  }
});

Deno.test("serveDovecotAuth() answers in the order of the decisions", async () => {
  const asked: PromiseWithResolvers<AuthDecision>[] = [];
  const provider = () => {
    const answer = Promise.withResolvers<AuthDecision>();
    asked.push(answer);
    return answer.promise;
  };
  await using server = await serve({ provider });
  using client = await greeted(server);
  await client.send("VERSION\t1\t2\nCPID\t1\n");
  for (const id of [1, 2, 3]) {
    await client.send(`AUTH\t${id}\tPLAIN\t${FIELDS}\n`);
  }
  await eventually("three questions", () => asked.length === 3);
  asked[2]?.resolve("authOk");
  assertEquals(await client.lines(1), ["OK\t3\tuser=joe"]);
  asked[0]?.resolve("authFailure");
  assertEquals(await client.lines(1), [
    "FAIL\t1\tuser=joe\tcode=temp_fail\ttemp",
  ]);
  asked[1]?.resolve("authOk");
  assertEquals(await client.lines(1), ["OK\t2\tuser=joe"]);
});

Deno.test("serveDovecotAuth() stops asking for a client that has gone", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events: ServerEvent[] = [];
  const provider: AuthProvider = (_request, signal) => {
    signal?.addEventListener("abort", () => resolve());
    return new Promise<AuthDecision>(() => {});
  };
  await using server = await serve({
    provider,
    onEvent: (event) => events.push(event),
  });
  const client = await greeted(server);
  await client.send(`${POSTFIX}AUTH\t1\tPLAIN\t${FIELDS}\n`);
  client[Symbol.dispose]();
  await promise;
  await eventually("the end", () => events.length === 3);
  const [, event, closed] = events;
  assert(event?.kind === "auth");
  assertEquals([event.outcome, event.reason], ["failure", "client-gone"]);
  assertEquals(closed?.kind === "closed" && closed.reason, "client-gone");
});

Deno.test("serveDovecotAuth() bears clients that come and go at once", async () => {
  await using server = await serve();
  for (let i = 0; i < 20; i++) {
    const client = await connectTo(server);
    client[Symbol.dispose]();
  }
  using client = await greeted(server);
  await client.send(`${POSTFIX}AUTH\t1\tPLAIN\t${FIELDS}\n`);
  assertEquals(await client.lines(1), ["OK\t1\tuser=joe"]);
});

Deno.test("serveDovecotAuth() reports named fields and no password", async () => {
  const events: ServerEvent[] = [];
  await using server = await serve({ onEvent: (event) => events.push(event) });
  using client = await greeted(server);
  await client.send(`${POSTFIX}AUTH\t1\tPLAIN\t${FIELDS}\n`);
  await client.lines(1);
  await client.send("AUTH\t2\tPLAIN\trip=::1\tresp=@\nHELLO\n");
  await client.end();
  const [opened, ok, bad, closed, ...others] = events;
  assert(opened !== undefined && "id" in opened);
  const from = { via: "dovecot", id: opened.id, remoteIp: "" } as const;
  assertEquals(opened, { kind: "opened", ...from });
  assert(ok?.kind === "auth");
  assert(ok.milliseconds >= 0);
  assertEquals({ ...ok, milliseconds: 0 }, {
    kind: "auth",
    ...from,
    outcome: "ok",
    reason: "ok",
    mechanism: "PLAIN",
    username: "joe",
    remoteIp: "127.0.0.1",
    milliseconds: 0,
  });
  assertEquals(bad, {
    kind: "auth",
    ...from,
    outcome: "error",
    reason: "bad-base64",
    mechanism: "PLAIN",
    remoteIp: "::1",
    milliseconds: 0,
  });
  assertEquals(closed, {
    kind: "closed",
    ...from,
    reason: "bad-protocol",
    error: "unknown command",
  });
  assertEquals(others, []);
});

Deno.test("serveDovecotAuth() lets others ask between the questions that come at once on one connection", async () => {
  const asked: string[] = [];
  await using server = await serve({
    provider: ({ username }) => {
      asked.push(username);
      return "authInvalid";
    },
  });
  const question = (id: number, name: string) =>
    `AUTH\t${id}\tPLAIN\tservice=smtp\tresp=${plain(name, "no")}\n`;
  const ids = Array.from({ length: 3_000 }, (_, index) => index + 1);
  using busy = await greeted(server);
  const sent = busy.send(POSTFIX + ids.map((id) => question(id, "b")).join(""));
  using other = await greeted(server);
  await other.send(POSTFIX + question(1, "other"));
  await other.lines(1);
  await sent;
  await busy.lines(ids.length);
  assertEquals(asked.length, ids.length + 1);
  assert(asked.includes("other"));
  assertEquals(asked.at(-1), "b");
});

Deno.test("shutdown() lets questions under way end, and no others", async () => {
  const answer = Promise.withResolvers<AuthDecision>();
  const asked = Promise.withResolvers<void>();
  const server = await serve({
    provider: () => {
      asked.resolve();
      return answer.promise;
    },
  });
  using idle = await greeted(server);
  using busy = await greeted(server);
  await busy.send(`${POSTFIX}AUTH\t1\tPLAIN\t${FIELDS}\n`);
  await asked.promise;
  const ended = server.shutdown();
  assertEquals(await idle.end(), "");
  await busy.send(`AUTH\t2\tPLAIN\t${FIELDS}\n`);
  answer.resolve("authOk");
  assertEquals(await busy.end(), "OK\t1\tuser=joe\n");
  await ended;
  await server.finished;
});

Deno.test("an aborted signal ends everything at once, and that is not told of as the client's going", async () => {
  const stop = new AbortController();
  const asked = Promise.withResolvers<void>();
  const events: ServerEvent[] = [];
  const server = await serve({
    provider: () => {
      asked.resolve();
      return new Promise<AuthDecision>(() => {});
    },
    signal: stop.signal,
    onEvent: (event) => events.push(event),
  });
  using client = await greeted(server);
  await client.send(`${POSTFIX}AUTH\t1\tPLAIN\t${FIELDS}\n`);
  await asked.promise;
  stop.abort();
  assertEquals(await client.end(), "");
  await server.finished;
  assertEquals(
    events.map((event) => [event.kind, "reason" in event && event.reason]),
    [["opened", false], ["auth", "interrupted"], ["closed", "shutdown"]],
  );
  const dead = await serve({ signal: stop.signal });
  await dead.finished;
});

Deno.test("one connection too many is closed, with one line in the log", async () => {
  using cleanUp = new DisposableStack();
  const events: ServerEvent[] = [];
  await using server = await serveDovecotAuth({
    path: `${temporaryFolder(cleanUp)}/auth`,
    provider: PROVIDER,
    maxConnections: 1,
    onEvent: (event) => events.push(event),
  });
  using _first = await greeted(server);
  for (let i = 0; i < 3; i++) {
    using client = await connectTo(server);
    assertEquals(await client.end(), "");
  }
  const turnedAway = {
    kind: "closed",
    via: "dovecot",
    reason: "too-many-connections",
    remoteIp: "",
  };
  assertEquals(withoutIds(newsOf(events)), [turnedAway]);
  assertEquals(withoutIds(events.slice(1)), [
    turnedAway,
    { ...turnedAway, again: true },
    { ...turnedAway, again: true },
  ]);
});
