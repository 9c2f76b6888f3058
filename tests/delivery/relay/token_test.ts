import { RelayError } from "../../../delivery/relay/failures.ts";
import { type TokenRules, TokenSource } from "../../../delivery/relay/token.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { newClock } from "../../support/clock.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** An endpoint that is no server: each answer in its turn. */
function newSource(
  answers: readonly (() => Response | Promise<Response>)[],
  rules: Partial<TokenRules> = {},
) {
  const requests: Request[] = [];
  let time = 1_000_000_000_000;
  const source = new TokenSource({
    tokenUrl: new URL("https://login.example.com/token"),
    clientId: "relay",
    clientSecret: () => "canary&=",
    scope: "https://mail.example.com/.default",
    fetch: async (input, init) => {
      const request = new Request(input, init);
      requests.push(request);
      return await (answers[requests.length - 1] ?? never)();
    },
    now: () => time,
    ...rules,
  });
  return {
    source,
    requests,
    /** Time goes by, in seconds. */
    pass: (seconds: number) => time += seconds * 1000,
  };
}

function never(): Promise<Response> {
  throw new Error("one request too many");
}

/** An answer with a token. */
function token(access_token: string, more: object = { expires_in: 3600 }) {
  return () => Response.json({ access_token, token_type: "Bearer", ...more });
}

Deno.test("TokenSource asks as RFC 6749 section 4.4 says, and nothing else", async () => {
  const { source, requests } = newSource([token("t1")]);
  assertEquals(await source.get(), "t1");
  const [request] = requests;
  assert(request !== undefined);
  assertEquals(request.method, "POST");
  assertEquals(request.url, "https://login.example.com/token");
  assertEquals(request.redirect, "manual");
  assertEquals([...request.headers].sort(), [
    ["accept", "application/json"],
    ["content-type", "application/x-www-form-urlencoded;charset=UTF-8"],
  ]);
  assertEquals(
    await request.text(),
    "grant_type=client_credentials&client_id=relay&client_secret=canary%26%3D" +
      "&scope=https%3A%2F%2Fmail.example.com%2F.default",
  );
});

Deno.test("TokenSource leaves the scope out where there is none", async () => {
  const { source, requests } = newSource([token("t1")], { scope: undefined });
  await source.get();
  assert(!(await requests[0]?.text())?.includes("scope"));
});

Deno.test("TokenSource renews a token five minutes before its end", async () => {
  const { source, requests, pass } = newSource([token("t1"), token("t2")]);
  assertEquals(await source.get(), "t1");
  pass(3600 - 300 - 1);
  assertEquals(await source.get(), "t1");
  assertEquals(requests.length, 1);
  pass(1);
  assertEquals(await source.get(), "t2");
});

Deno.test("TokenSource renews a short token at half its life, and one without a life after five minutes", async () => {
  for (
    const [more, seconds] of [
      [{ expires_in: 120 }, 60],
      [{ expires_in: "120" }, 60],
      [{}, 300],
    ] as const
  ) {
    const { source, pass } = newSource([token("t1", more), token("t2", more)]);
    await source.get();
    pass(seconds - 1);
    assertEquals(await source.get(), "t1");
    pass(1);
    assertEquals(await source.get(), "t2");
  }
});

Deno.test("TokenSource makes one request at a time, for all who wait", async () => {
  const answer = Promise.withResolvers<Response>();
  const { source, requests, pass } = newSource([
    () => answer.promise,
    token("t2"),
  ]);
  const waiting = Array.from({ length: 50 }, () => source.get());
  answer.resolve(token("t1")());
  assertEquals(await Promise.all(waiting), Array(50).fill("t1"));
  assertEquals(requests.length, 1);
  pass(3600);
  assertEquals(
    await Promise.all(Array.from({ length: 50 }, () => source.get())),
    Array(50).fill("t2"),
  );
  assertEquals(requests.length, 2);
});

Deno.test("TokenSource uses the old token to its end while there is no new one", async () => {
  const down = () => new Response("", { status: 503 });
  const { source, pass } = newSource([token("t1"), down, down, token("t2")]);
  await source.get();
  pass(3600 - 300);
  assertEquals(await source.get(), "t1");
  pass(300);
  await assertRejects(() => source.get(), RelayError, "status 503");
  assertEquals(await source.get(), "t2");
});

Deno.test("TokenSource forgets a refused token, unless it is a fresh one", async () => {
  const { source, pass } = newSource([token("t1"), token("t2")]);
  source.refused();
  await source.get();
  pass(59);
  source.refused();
  assertEquals(await source.get(), "t1");
  pass(1);
  source.refused();
  assertEquals(await source.get(), "t2");
});

/** Answers without a token, and what the log reads of them. */
const FAILURES: readonly (readonly [() => Response, string])[] = [
  [() => new Response("", { status: 500 }), "status 500"],
  [
    () =>
      Response.json({
        error: "invalid_client",
        error_description: "AADSTS7000215: Invalid client secret canary",
      }, { status: 401 }),
    "status 401 invalid_client AADSTS7000215",
  ],
  [
    () => Response.json({ error: "canary\r\nx" }, { status: 400 }),
    "status 400",
  ],
  [() => Response.json({ error: 5 }, { status: 400 }), "status 400"],
  [
    () => Response.redirect("https://evil.example.com/", 307),
    "status 307",
  ],
  [token(""), "holds no bearer token"],
  [token("two words"), "holds no bearer token"],
  [token("a\r\nb"), "holds no bearer token"],
  [token("t1", { token_type: "mac" }), "holds no bearer token"],
  [token("t1", { token_type: 1 }), "holds no bearer token"],
  [() => Response.json(null), "holds no bearer token"],
  [() => Response.json([]), "holds no bearer token"],
  [() => new Response("canary"), "holds no bearer token"],
  [() => new Response("x".repeat(65_537)), "holds no bearer token"],
  [() => {
    throw new TypeError("canary in https://login.example.com/token");
  }, "the token endpoint: failed"],
];

Deno.test("TokenSource says what is wrong, and no secret", async () => {
  for (const [answer, detail] of FAILURES) {
    const { source } = newSource([answer]);
    const error = await assertRejects(() => source.get(), RelayError);
    assertEquals(error.reason, "relay-token");
    assert(error.detail.endsWith(detail), error.detail);
    assert(!error.message.includes("canary"), error.message);
  }
});

Deno.test("TokenSource waits 30 s for an answer", async () => {
  using clock = newClock();
  let aborted = false;
  const { source } = newSource([], {
    fetch: (_, init) =>
      new Promise(() => {
        init?.signal?.addEventListener("abort", () => aborted = true);
      }),
  });
  const got = assertRejects(() => source.get(), RelayError, "in time");
  await clock.hasTimers(1);
  assertEquals(clock.timers(), [30_000]);
  clock.wind(30_000);
  await got;
  assert(aborted);
});
