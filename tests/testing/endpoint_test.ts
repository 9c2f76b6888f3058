import {
  BrokenConnection,
  type Fault,
  flapping,
  LOGINS,
  newTestEndpoint,
  TestIssuer,
} from "../../testing.ts";
import { outcomeOf } from "../support/asked_provider.ts";
import { spyOnTimers } from "../support/timer_spy.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const OK = ["authOk", "ok"] as const;

/** What each fault is to the provider. */
const FAULTS: readonly (readonly [Fault, string])[] = [
  ["refused", "backend-unreachable"],
  ["reset", "backend-unreachable"],
  ["closed", "backend-unreachable"],
  ["500", "backend-status"],
  ["HTML", "backend-answer"],
  ["not HTTP", "backend-unreachable"],
  ["not ours", "backend-answer"],
  ["redirect", "backend-redirect"],
  ["401 invalid_token", "backend-token"],
  ["cut in head", "backend-unreachable"],
  ["cut in body", "backend-unreachable"],
  ["reset in body", "backend-unreachable"],
  ["endless", "backend-size"],
  [() => new Response(null, { status: 503 }), "backend-status"],
];

Deno.test("newTestEndpoint() knows its users, and whatever breaks it is an outage until it is mended", async () => {
  await using endpoint = await newTestEndpoint({ timeoutMs: 60_000 });
  const { provider } = endpoint;
  for (const login of LOGINS) {
    assertEquals(await outcomeOf(provider, login), OK);
    const wrong = { ...login, password: "wrong" };
    assertEquals((await outcomeOf(provider, wrong))[0], "authInvalid");
  }
  for (const [fault, reason] of FAULTS) {
    await endpoint.break(fault);
    const [decision, told] = await outcomeOf(provider, LOGINS[0]);
    assertEquals([decision, told], ["authFailure", reason], `${fault}`);
    await endpoint.break("none");
    assertEquals(await outcomeOf(provider, LOGINS[0]), OK, `after ${fault}`);
  }
});

Deno.test("newTestEndpoint() takes no machine that is busy for an outage", async () => {
  await using endpoint = await newTestEndpoint();
  const { provider } = endpoint;
  using timers = spyOnTimers();
  assertEquals(await outcomeOf(provider, LOGINS[0]), OK);
  assert(timers.delays().includes(10_000));
  await endpoint.break("hang");
  const outcome = outcomeOf(provider, LOGINS[0]);
  timers.strike(400);
  assertEquals(await outcome, ["authFailure", "backend-timeout"]);
});

Deno.test("newTestEndpoint() outlasts its provider where it hangs or is slow", async () => {
  await using endpoint = await newTestEndpoint({ timeoutMs: 50 });
  for (const fault of ["hang", "slow"] as const) {
    await endpoint.break(fault);
    assertEquals(await outcomeOf(endpoint.provider, LOGINS[0]), [
      "authFailure",
      "backend-timeout",
    ], fault);
  }
});

Deno.test("newTestEndpoint() tells what it was asked, without passwords", async () => {
  await using endpoint = await newTestEndpoint();
  await outcomeOf(endpoint.provider, {
    ...LOGINS[1],
    mechanism: "LOGIN",
    remoteIp: "192.0.2.7",
    heloName: "laptop",
  });
  assertEquals(endpoint.asked, [{
    username: LOGINS[1].username,
    mechanism: "LOGIN",
    remoteIp: "192.0.2.7",
    heloName: "laptop",
  }]);
});

Deno.test("newTestEndpoint() answers with rights, and only to whom has its token", async () => {
  await using endpoint = await newTestEndpoint({
    users: [{ username: "ann", password: "secret" }],
    bearerToken: "t0ken",
    rights: { user: "ann@example.org", senders: ["@example.org"] },
  });
  const ann = { username: "ann", password: "secret" };
  const answer = await endpoint.provider({
    ...ann,
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "laptop",
  });
  assert(answer.decision === "authOk");
  assertEquals([answer.user, answer.senders], [
    "ann@example.org",
    ["@example.org"],
  ]);
  const body = JSON.stringify(ann);
  const stranger = await fetch(endpoint.url, {
    method: "POST",
    body,
    headers: { connection: "close" },
  });
  await stranger.body?.cancel();
  assertEquals(stranger.status, 401);
  assertStringIncludes(
    stranger.headers.get("www-authenticate") ?? "",
    'error="invalid_token"',
  );
});

Deno.test("flapping() has one fault after another, round and round", async () => {
  await using endpoint = await newTestEndpoint();
  await endpoint.break(flapping("none", "500", "HTML"));
  const reasons: string[] = [];
  for (let i = 0; i < 6; i++) {
    reasons.push((await outcomeOf(endpoint.provider, LOGINS[0]))[1]);
  }
  const round = ["ok", "backend-status", "backend-answer"];
  assertEquals(reasons, [...round, ...round]);
});

Deno.test("TestIssuer.fetch() rejects as fetch does where a connection breaks", async () => {
  const issuer = new TestIssuer();
  const url = `${issuer.url}/.well-known/openid-configuration`;
  issuer.break("reset");
  await assertRejects(() => issuer.fetch(url), BrokenConnection, "reset");
  issuer.break("hang");
  const signal = AbortSignal.abort(new Error("given up"));
  await assertRejects(() => issuer.fetch(url, { signal }), Error, "given up");
  issuer.break("none");
  const { issuer: named } = await (await issuer.fetch(url)).json();
  assertEquals(named, issuer.url);
});
