import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";
import type {
  AuthDecision,
  AuthRequest,
  AuthResult,
} from "../../../auth/types.ts";
import { authHandler } from "../../../adapters/http/handler.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../support/assert.ts";
import { decisionOf, outcomeOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { newClientFetch } from "../../support/http_end.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const URL = "http://auth.example/";

const TOKEN = "known-to-both";

function post(
  body: BodyInit | null,
  headers: Readonly<Record<string, string>> = {},
): Request {
  return new Request(URL, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", ...headers },
  });
}

const never = () => new Promise<AuthDecision>(() => {});

Deno.test("authHandler() tells the end of a yes in both ways", async () => {
  const question = () =>
    post(JSON.stringify({
      username: "ann",
      password: "secret",
      mechanism: "PLAIN",
      remoteIp: "",
      heloName: "",
    }));
  const inAnHour = Date.now() + 3_600_000;
  const rows = [
    [inAnHour, /^private, max-age=3[56][0-9]{2}$/],
    [1000, /^private, max-age=0$/],
    [undefined, /^no-store$/],
  ] as const;
  for (const [expiresAt, control] of rows) {
    const end = expiresAt === undefined ? {} : { expiresAt };
    const handler = authHandler(() => ({ decision: "authOk", ...end }));
    const response = await handler(question());
    assertMatch(response.headers.get("cache-control") ?? "", control);
    assertEquals(await response.json(), { ok: true, ...end });
  }
});

Deno.test("authHandler() and newHTTPAuthProvider() are inverse", async () => {
  const seen: AuthRequest[] = [];
  let decision: AuthDecision | AuthResult = "authOk";
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    authHandler((request) => {
      seen.push(request);
      return decision;
    }, { bearerToken: TOKEN }),
  );
  using client = newClientFetch();
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const provider = newHTTPAuthProvider(url, {
    bearerToken: TOKEN,
    fetch: client.fetch,
  });
  const requests = [
    newRequest(),
    newRequest({ username: "jörg@例え.jp", password: ` pä"\\\u2028🔑 ` }),
    newRequest({ mechanism: "LOGIN", remoteIp: "", heloName: "" }),
    newRequest({ remoteIp: "2001:db8::7", heloName: "[192.0.2.7]" }),
  ];
  for (const answer of ["authOk", "authInvalid", "authFailure"] as const) {
    decision = answer;
    for (const request of requests) {
      assertEquals(await decisionOf(provider, request), answer);
      assertEquals(seen.pop(), request);
    }
  }
  const results = [
    {
      decision: "authOk",
      user: "ann@example.com",
      senders: ["@example.com"],
      limits: { recipientsPerDay: 10 },
      context: { tenant: 7 },
    },
    { decision: "authInvalid", text: "Account closed" },
    { decision: "authInvalid", tokenError: { status: "invalid_token" } },
    {
      decision: "authInvalid",
      text: "Not for mail",
      tokenError: {
        status: "insufficient_scope",
        scope: "mail",
        openidConfiguration:
          "https://sso.example/.well-known/openid-configuration",
      },
    },
  ] as const;
  for (const answer of results) {
    decision = answer;
    assertEquals<unknown>(await provider(newRequest()), answer);
  }
  seen.length = 0;
  const stranger = newHTTPAuthProvider(url, { fetch: client.fetch });
  assertEquals(await outcomeOf(stranger), ["authFailure", "backend-token"]);
  const mistaken = newHTTPAuthProvider(url, {
    bearerToken: "another",
    fetch: client.fetch,
  });
  assertEquals(await outcomeOf(mistaken), ["authFailure", "backend-token"]);
  assertEquals(seen, []);
  await server.shutdown();
});

Deno.test("authHandler() answers as the contract says", async () => {
  const rows = [
    [() => "authOk" as const, 200, '{"ok":true}'],
    [() => "authInvalid" as const, 200, '{"ok":false}'],
    [
      () => "authFailure" as const,
      503,
      '{"error":"the provider cannot tell"}',
    ],
    [
      () => Promise.reject(new Error("down")),
      503,
      '{"error":"the provider cannot tell"}',
    ],
    [never, 503, '{"error":"the provider cannot tell"}'],
  ] as const;
  for (const [provider, status, body] of rows) {
    const handler = authHandler(provider, { timeoutMs: 30 });
    const response = await handler(post(JSON.stringify(newRequest())));
    assertEquals(response.status, status);
    assertEquals(response.headers.get("content-type"), "application/json");
    assertEquals(response.headers.get("cache-control"), "no-store");
    assertEquals(await response.text(), body);
  }
});

Deno.test("authHandler() refuses bad requests with 400 and does not ask", async () => {
  const events: ServerEvent[] = [];
  const handler = authHandler(() => {
    throw new Error("asked");
  }, { onEvent: (event) => events.push(event) });
  const valid = newRequest();
  const with_ = (changes: object) => JSON.stringify({ ...valid, ...changes });
  const bodies: readonly (BodyInit | null)[] = [
    null,
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "{}",
    JSON.stringify({ username: "ann", password: "x" }),
    with_({ username: 1 }),
    with_({ username: "" }),
    with_({ username: "a\nb" }),
    with_({ username: "a\u0085b" }),
    with_({ username: "\ud800" }),
    with_({ password: "" }),
    with_({ password: "a\0b" }),
    with_({ password: null }),
    with_({ password: "a\udc00" }),
    with_({ heloName: "\ud800" }),
    with_({ mechanism: undefined }),
    with_({ remoteIp: [] }),
    with_({ heloName: {} }),
    Uint8Array.of(0x7b, 0xff, 0x7d),
    with_({ heloName: "x".repeat(65_536) }),
  ];
  for (const body of bodies) {
    const response = await handler(post(body));
    assertEquals(response.status, 400, String(body).slice(0, 60));
    const { error } = await response.json();
    assertEquals(typeof error, "string");
  }
  for (const type of ["text/plain", "", "application/jsonx"]) {
    const response = await handler(
      post(JSON.stringify(valid), { "content-type": type }),
    );
    assertEquals(response.status, 400, type);
    await response.body?.cancel();
  }
  assert(
    events.every((event) =>
      event.kind === "auth" && event.reason === "bad-syntax" &&
      event.outcome === "error"
    ),
  );
  assertEquals(events.length, bodies.length + 3);
});

Deno.test("authHandler() takes what later versions may add", async () => {
  const handler = authHandler(() => "authOk");
  const body = JSON.stringify({ ...newRequest(), tls: true });
  const response = await handler(
    post(body, { "content-type": "Application/JSON; charset=utf-8" }),
  );
  assertEquals(await response.json(), { ok: true });
});

Deno.test("authHandler() takes a token without a name, and no password without one", async () => {
  const seen: AuthRequest[] = [];
  const events: ServerEvent[] = [];
  const handler = authHandler((request) => {
    seen.push(request);
    return "authInvalid";
  }, { onEvent: (event) => events.push(event) });
  const nameless = newRequest({ username: "", mechanism: "OAUTHBEARER" });
  const other = { ...nameless, mechanism: "XOAUTH2" };
  assertEquals((await handler(post(JSON.stringify(nameless)))).status, 200);
  assertEquals((await handler(post(JSON.stringify(other)))).status, 400);
  assertEquals(seen, [nameless]);
  assert(events.every((event) => !("username" in event)));
});

Deno.test("authHandler() takes POST only", async () => {
  const handler = authHandler(() => "authOk");
  for (const method of ["GET", "PUT", "DELETE"]) {
    const response = await handler(new Request(URL, { method }));
    assertEquals(response.status, 405);
    assertEquals(response.headers.get("allow"), "POST");
    await response.body?.cancel();
  }
});

Deno.test("authHandler() tells a wrong token from a wrong password in the log", async () => {
  const events: ServerEvent[] = [];
  const handler = authHandler(() => "authInvalid", {
    bearerToken: TOKEN,
    onEvent: (event) => events.push(event),
  });
  const body = JSON.stringify(newRequest());
  const rows = [
    [{}, 401],
    [{ authorization: `Bearer ${TOKEN}x` }, 401],
    [{ authorization: "Bearer " }, 401],
    [{ authorization: TOKEN }, 401],
    [{ authorization: `Basic ${TOKEN}` }, 401],
    [{ authorization: `Bearer ${TOKEN}` }, 200],
    [{ authorization: `bearer  ${TOKEN}` }, 200],
  ] as const;
  for (const [headers, status] of rows) {
    const response = await handler(post(body, headers));
    assertEquals(response.status, status, JSON.stringify(headers));
    assert(!(await response.text()).includes(TOKEN));
  }
  assertEquals(
    events.map((event) => event.kind === "auth" && event.reason),
    rows.map(([, status]) =>
      status === 401 ? "bad-token" : "wrong-credentials"
    ),
  );
  assert(!JSON.stringify(events).includes(TOKEN));
});

Deno.test("authHandler() refuses a bad configuration", () => {
  for (const bearerToken of ["", "a b", "ä", "a\n"]) {
    assertThrows(
      () => authHandler(() => "authOk", { bearerToken }),
      TypeError,
      "Cannot create auth handler: bearerToken must be visible ASCII",
    );
  }
  assertThrows(
    () => authHandler(() => "authOk", { timeoutMs: 0 }),
    RangeError,
    "Cannot create auth handler: timeoutMs must be a number > 0 and <= 600000: got ",
  );
});
