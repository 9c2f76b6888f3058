import { withCache } from "../../../../auth/guards/cache/cache.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthResult,
} from "../../../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "../../../support/assert.ts";
import {
  newSlowProvider,
  type Outcome,
  outcomeOf,
  watched,
} from "../../../support/asked_provider.ts";
import { newRequest } from "../../../support/auth_request.ts";
import { newClock } from "../../../support/clock.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const OK: Outcome = ["authOk", "ok"];
const WRONG: Outcome = ["authInvalid", "wrong-credentials"];
const DOWN: Outcome = ["authFailure", "backend-unreachable"];
const CACHED: Outcome = ["authOk", "cached"];
const CACHED_NO: Outcome = ["authInvalid", "cached"];
const OUTAGE: Outcome = ["authOk", "cached-through-outage"];

/** A back end that can go down and change passwords. */
function newBackEnd() {
  const passwords = new Map([["ann", "right"], ["bob", "right"]]);
  const state = { up: true };
  const back = watched((request) => {
    const ok = passwords.get(request.username) === request.password;
    if (state.up) return ok ? "authOk" : "authInvalid";
    return { decision: "authFailure", reason: "backend-unreachable" };
  });
  return { ...back, passwords, state };
}

Deno.test("withCache() asks once in ttlMs, not prolonged by asking", async () => {
  using clock = newClock();
  const { provider, asked } = newBackEnd();
  const cache = withCache(provider, { ttlMs: 1000, now: clock.now });
  const ann = { password: "right" };
  assertEquals(await outcomeOf(cache, ann), OK);
  clock.wind(600);
  assertEquals(await outcomeOf(cache, ann), CACHED);
  clock.wind(399);
  assertEquals(await outcomeOf(cache, ann), CACHED);
  assertEquals(asked.length, 1);
  clock.wind(1);
  assertEquals(await outcomeOf(cache, ann), OK);
  assertEquals(asked.length, 2);
});

Deno.test("withCache() carries users through an outage for ttlMs and graceMs, no longer", async () => {
  using clock = newClock();
  const { provider, asked, state } = newBackEnd();
  const options = { ttlMs: 1000, graceMs: 5000, now: clock.now };
  const cache = withCache(provider, options);
  const ann = { password: "right" };
  await outcomeOf(cache, ann);
  state.up = false;
  clock.wind(1000);
  assertEquals(await outcomeOf(cache, ann), OUTAGE);
  clock.wind(4999);
  assertEquals(await outcomeOf(cache, ann), OUTAGE);
  assertEquals(await outcomeOf(cache, { ...ann, username: "bob" }), DOWN);
  assertEquals(await outcomeOf(cache, { password: "x" }), DOWN);
  assertEquals(asked.length, 5, "each time, to see whether it is back");
  clock.wind(1);
  assertEquals(await outcomeOf(cache, ann), DOWN);
  state.up = true;
  assertEquals(await outcomeOf(cache, ann), OK);
  state.up = false;
  clock.wind(1000);
  assertEquals(await outcomeOf(cache, ann), OUTAGE);
});

Deno.test("withCache() passes through every way in which a provider fails", async () => {
  const fails: readonly (() => unknown)[] = [
    () => "authFailure",
    () => Promise.resolve("authFailure"),
    () => Promise.reject(new Error("down")),
    () => JSON.parse("!"),
    () => "nonsense",
  ];
  for (const fail of fails) {
    let up = true;
    const provider: AuthProvider = () => up ? "authOk" : fail() as AuthDecision;
    const cache = withCache(provider, { ttlMs: 0 });
    assertEquals((await outcomeOf(cache))[0], "authOk");
    up = false;
    assertEquals(await outcomeOf(cache), OUTAGE);
  }
});

Deno.test("withCache() with graceMs 0 fails when the back end does", async () => {
  using clock = newClock();
  const { provider, state } = newBackEnd();
  const cache = withCache(provider, {
    ttlMs: 1000,
    graceMs: 0,
    now: clock.now,
  });
  await outcomeOf(cache, { password: "right" });
  state.up = false;
  assertEquals(await outcomeOf(cache, { password: "right" }), CACHED);
  clock.wind(1000);
  assertEquals(await outcomeOf(cache, { password: "right" }), DOWN);
});

Deno.test("withCache() never takes a no for an outage", async () => {
  using clock = newClock();
  const { provider, passwords, state } = newBackEnd();
  const cache = withCache(provider, { ttlMs: 1000, now: clock.now });
  await outcomeOf(cache, { password: "right" });
  passwords.set("ann", "changed");
  clock.wind(1000);
  assertEquals(await outcomeOf(cache, { password: "right" }), WRONG);
  state.up = false;
  clock.wind(3000);
  assertEquals(await outcomeOf(cache, { password: "right" }), DOWN);
});

Deno.test("withCache() asks about all of a user's logins again after a no", async () => {
  using clock = newClock();
  const { provider, asked } = newBackEnd();
  const cache = withCache(provider, { now: clock.now });
  const plain = { password: "right" };
  const login = { password: "right", mechanism: "LOGIN" };
  const bob = { password: "right", username: "bob" };
  for (const each of [plain, login, bob]) await outcomeOf(cache, each);
  assertEquals(await outcomeOf(cache, login), CACHED);
  // Another spelling of the name is the same user.
  assertEquals(await outcomeOf(cache, { username: "ANN", password: "x" }), [
    "authInvalid",
    "wrong-credentials",
  ]);
  for (const each of [plain, login]) {
    assertEquals(await outcomeOf(cache, each), OK);
    assertEquals(await outcomeOf(cache, each), CACHED);
  }
  assertEquals(await outcomeOf(cache, bob), CACHED);
  assertEquals(asked.length, 6);
});

Deno.test("withCache() lets no stranger's guess end a user's grace (issue 11, 15)", async () => {
  using clock = newClock();
  const { provider, state } = newBackEnd();
  const cache = withCache(provider, { ttlMs: 0, now: clock.now });
  await outcomeOf(cache, { password: "right" });
  for (const username of ["ann", "ANN"]) {
    for (let i = 0; i < 20; i++) {
      const guess = { username, password: `guess ${i}`, remoteIp: "192.0.2.1" };
      assertEquals(await outcomeOf(cache, guess), WRONG);
    }
  }
  state.up = false;
  clock.wind(3_599_999);
  assertEquals(await outcomeOf(cache, { password: "right" }), OUTAGE);
});

Deno.test("withCache() ends the grace of a refused password, with every mechanism", async () => {
  const { provider, passwords, state } = newBackEnd();
  const cache = withCache(provider, { ttlMs: 0 });
  const old = { password: "right" };
  await outcomeOf(cache, old);
  await outcomeOf(cache, { ...old, mechanism: "LOGIN" });
  passwords.set("ann", "changed");
  assertEquals(await outcomeOf(cache, { password: "changed" }), OK);
  assertEquals(await outcomeOf(cache, old), WRONG);
  state.up = false;
  assertEquals(await outcomeOf(cache, { ...old, mechanism: "LOGIN" }), DOWN);
  assertEquals(await outcomeOf(cache, { password: "changed" }), OUTAGE);
});

Deno.test("withCache() does not remember a yes that a no has overtaken", async () => {
  const rows = [
    // The same password: it may have been changed in between.
    ["old", "authFailure"],
    // Another one: the yes is good for an outage, but not unasked.
    ["guess", "authOk"],
  ] as const;
  for (const [refused, inOutage] of rows) {
    const { provider, call } = newSlowProvider();
    const cache = withCache(provider);
    const early = outcomeOf(cache, { password: "old" });
    const first = await call(0);
    const late = outcomeOf(cache, { password: refused, mechanism: "LOGIN" });
    (await call(1)).answer("authInvalid");
    assertEquals((await late)[0], "authInvalid");
    first.answer("authOk");
    assertEquals((await early)[0], "authOk");
    const again = outcomeOf(cache, { password: "old" });
    (await call(2)).answer("authFailure");
    assertEquals((await again)[0], inOutage);
  }
});

Deno.test("withCache() remembers a wrong password for 3 s", async () => {
  using clock = newClock();
  const { provider, asked, passwords } = newBackEnd();
  const cache = withCache(provider, { now: clock.now });
  const ann = { password: "new" };
  assertEquals(await outcomeOf(cache, ann), WRONG);
  passwords.set("ann", "new");
  clock.wind(2999);
  assertEquals(await outcomeOf(cache, ann), CACHED_NO);
  clock.wind(1);
  assertEquals(await outcomeOf(cache, ann), OK);
  assertEquals(await outcomeOf(cache, ann), CACHED);
  assertEquals(asked.length, 2);
});

Deno.test("withCache() remembers no failure", async () => {
  const { provider, asked, state } = newBackEnd();
  const cache = withCache(provider);
  state.up = false;
  for (let i = 0; i < 3; i++) {
    assertEquals(await outcomeOf(cache, { password: "right" }), DOWN);
  }
  assertEquals(asked.length, 3);
  state.up = true;
  assertEquals(await outcomeOf(cache, { password: "right" }), OK);
});

Deno.test("withCache() takes no login for another (CVE-2025-30189)", async () => {
  const { provider, asked } = watched(({ username, password, mechanism }) =>
    username === "ann" && password === "xy" && mechanism === "PLAIN"
      ? "authOk"
      : "authInvalid"
  );
  const cache = withCache(provider);
  const others = [
    { username: "bob", password: "xy" },
    { username: "annx", password: "y" },
    { username: "an", password: "nxy" },
    { username: "Ann", password: "xy" },
    { username: "ann", password: "XY" },
    { username: "ann", password: "xy ", mechanism: "PLAIN" },
    { username: "ann", password: "xy", mechanism: "LOGIN" },
    { username: "Nann", password: "xy", mechanism: "PLAI" },
    { username: "ann\0xy", password: "" },
    { username: "", password: "annxy" },
  ];
  for (const other of others) {
    const right = { username: "ann", password: "xy" };
    assertEquals((await outcomeOf(cache, right))[0], "authOk");
    const before = asked.length;
    assertEquals(
      (await outcomeOf(cache, other))[0],
      "authInvalid",
      JSON.stringify(other),
    );
    assertEquals(asked.length, before + 1, JSON.stringify(other));
  }
});

Deno.test("withCache() remembers a login for every address and HELO name", async () => {
  const { provider, asked } = newBackEnd();
  const cache = withCache(provider);
  await outcomeOf(cache, { password: "right" });
  const elsewhere = { remoteIp: "198.51.100.1", heloName: "phone" };
  assertEquals(
    await outcomeOf(cache, { password: "right", ...elsewhere }),
    CACHED,
  );
  assertEquals(asked.length, 1);
});

Deno.test("withCache() asks nothing for a client that has gone before", async () => {
  const { provider, asked } = newBackEnd();
  const cache = withCache(provider);
  const gone = AbortSignal.abort();
  assertEquals(
    await outcomeOf(cache, { password: "right" }, gone),
    ["authFailure", "client-gone"],
  );
  assertEquals(asked.length, 0);
});

Deno.test("withCache() asks with the same request", async () => {
  const { provider, asked } = newBackEnd();
  const request = Object.freeze(newRequest({ password: "right" }));
  await withCache(provider)(request);
  assertStrictEquals(asked[0], request);
});

Deno.test("withCache() keeps all that a result says, and nobody can change it", async () => {
  using clock = newClock();
  const yes = {
    decision: "authOk",
    user: "ann@example.com",
    senders: ["@example.com"],
    limits: { recipientsPerDay: 10 },
    context: { tenant: [1] },
  } as const;
  const tokenError = { status: "invalid_token", scope: "mail" };
  const no = { decision: "authInvalid", text: "Closed", tokenError } as const;
  let answer: AuthResult = yes;
  const cache = withCache(() => answer, {
    ttlMs: 1000,
    graceMs: 1000,
    now: clock.now,
  });
  assertEquals(await cache(newRequest()), yes);
  const cached = await cache(newRequest());
  assertEquals(cached, { ...yes, reason: "cached" });
  assert(cached.decision === "authOk");
  assertThrows(
    () => Object.assign(cached.context ?? {}, { tenant: 2 }),
    TypeError,
  );
  clock.wind(1000);
  answer = { decision: "authFailure", reason: "backend-status", detail: "502" };
  const detail = "backend-status 502";
  const reason = "cached-through-outage";
  assertEquals(await cache(newRequest()), { ...yes, reason, detail });
  answer = no;
  const wrong = newRequest({ password: "x" });
  assertEquals(await cache(wrong), no);
  assertEquals(await cache(wrong), { ...no, reason: "cached" });
});

Deno.test("withCache() keeps no yes beyond its expiresAt, in an outage either", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const cache = withCache(provider, {
    ttlMs: 1000,
    graceMs: 1000,
    now: clock.now,
  });
  const ask = () => outcomeOf(cache);
  const answer = async (index: number, result: AuthDecision | AuthResult) => {
    const outcome = ask();
    (await call(index)).answer(result);
    return await outcome;
  };
  const until = (expiresAt: number) =>
    ({ decision: "authOk", expiresAt }) as const;
  assertEquals(await answer(0, until(clock.now() + 500)), OK);
  clock.wind(499);
  assertEquals(await ask(), CACHED);
  clock.wind(1);
  assertEquals(await answer(1, "authFailure"), [
    "authFailure",
    "provider-failure",
  ]);
  assertEquals(await answer(2, until(clock.now() + 1500)), OK);
  clock.wind(1000);
  assertEquals(await answer(3, "authFailure"), OUTAGE);
  clock.wind(500);
  assertEquals(await answer(4, "authFailure"), [
    "authFailure",
    "provider-failure",
  ]);
  assertEquals(await answer(5, until(clock.now())), OK);
  assertEquals(await answer(6, "authOk"), OK, "one that has ended is not kept");
  assertEquals(calls.length, 7);
});

Deno.test("withCache() is bounded, and wrong passwords push nobody out", async () => {
  const { provider, asked } = watched(({ password }) =>
    password === "right" ? "authOk" : "authInvalid"
  );
  const cache = withCache(provider, { maxEntries: 3 });
  const ask = (username: string, password = "right") =>
    outcomeOf(cache, { username, password });
  for (const name of ["a", "b", "c"]) await ask(name);
  for (let i = 0; i < 2000; i++) await ask(`eve${i}`, "x");
  assertEquals(await ask("a"), CACHED);
  await ask("d");
  const before = asked.length;
  const outcomes: boolean[] = [];
  for (const name of ["a", "c", "d", "b"]) {
    outcomes.push((await ask(name))[1] === "cached");
  }
  assertEquals(outcomes, [true, true, true, false]);
  assertEquals(asked.length, before + 1);
  // The thousand last of the wrong ones are remembered.
  assertEquals((await ask("eve1999", "x"))[1], "cached");
  assert((await ask("eve0", "x"))[1] !== "cached");
});

Deno.test("withCache() refuses settings that cannot be meant", () => {
  const rows = [
    [{ ttlMs: -1 }, "ttlMs must be a number from 0 to 31536000000: got -1"],
    [{ ttlMs: NaN }, "ttlMs must be a number from 0 to 31536000000: got NaN"],
    [
      { graceMs: Infinity },
      "graceMs must be a number from 0 to 31536000000: got Infinity",
    ],
    [{ maxEntries: 0 }, "maxEntries must be an integer >= 1: got 0"],
  ] as const;
  for (const [options, rule] of rows) {
    const error = assertThrows(
      () => withCache(() => "authOk", options),
      RangeError,
    );
    assertEquals(error.message, `Cannot create cache: ${rule}`);
  }
});
