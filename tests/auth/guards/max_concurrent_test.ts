import { maxConcurrent } from "../../../auth/guards/max_concurrent.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthResult,
} from "../../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "../../support/assert.ts";
import {
  decisionOf,
  newSlowProvider,
  type Outcome,
  outcomeOf,
} from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { newClock } from "../../support/clock.ts";
import { newCountedSignal } from "../../support/counted_signal.ts";
import { newRandom } from "../../support/random.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const OK: Outcome = ["authOk", "ok"];
const BUSY: Outcome = ["authFailure", "backend-busy"];
const GONE: Outcome = ["authFailure", "client-gone"];

Deno.test("maxConcurrent() lets so many through, so many wait, and no more", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const bounded = maxConcurrent(provider, { limit: 2, queueLength: 3 });
  const outcomes = Array.from(
    { length: 7 },
    (_, i) => outcomeOf(bounded, { username: `${i}` }),
  );
  assertEquals([calls.length, clock.timers()], [2, [500, 500, 500]]);
  assertEquals(await outcomes[5], BUSY);
  assertEquals(await outcomes[6], BUSY);
  for (let i = 0; i < 5; i++) {
    const { request, answer } = await call(i);
    assertEquals(request.username, `${i}`, "first come, first served");
    assert(calls.length <= i + 2);
    answer("authOk");
  }
  assertEquals(await Promise.all(outcomes.slice(0, 5)), new Array(5).fill(OK));
  assertEquals([calls.length, clock.timers().length], [5, 0]);
});

Deno.test("maxConcurrent() lets nobody wait longer than queueMs", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const bounded = maxConcurrent(provider, { limit: 1, queueMs: 200 });
  const first = outcomeOf(bounded);
  const second = outcomeOf(bounded);
  clock.wind(199);
  assertEquals(clock.timers(), [1]);
  clock.wind(1);
  assertEquals(await second, BUSY);
  (await call(0)).answer("authOk");
  assertEquals(await first, OK);
  const third = outcomeOf(bounded);
  (await call(1)).answer("authOk");
  assertEquals(await third, OK);
  assertEquals([calls.length, clock.timers().length], [2, 0]);
});

Deno.test("maxConcurrent() lets a client that goes leave the queue", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const bounded = maxConcurrent(provider, { limit: 1, queueLength: 2 });
  const { signal, abort, listening } = newCountedSignal();
  const first = outcomeOf(bounded);
  const second = outcomeOf(bounded, {}, signal);
  const third = outcomeOf(bounded);
  assertEquals(await outcomeOf(bounded), BUSY);
  abort();
  assertEquals(await second, GONE);
  assertEquals([listening(), clock.timers().length], [0, 1]);
  const fourth = outcomeOf(bounded); // there is room again
  assertEquals(await outcomeOf(bounded, {}, signal), GONE);
  for (let i = 0; i < 3; i++) (await call(i)).answer("authOk");
  assertEquals(await Promise.all([first, third, fourth]), [OK, OK, OK]);
  assertEquals([calls.length, clock.timers().length], [3, 0]);
});

Deno.test("maxConcurrent() passes a place on when the one called has gone", async () => {
  using clock = newClock();
  const { provider, calls, call } = newSlowProvider();
  const bounded = maxConcurrent(provider, { limit: 1 });
  const { signal, abort } = newCountedSignal();
  const first = outcomeOf(bounded);
  const second = outcomeOf(bounded, {}, signal);
  const third = outcomeOf(bounded, { username: "bob" });
  // Called and gone in the same turn.
  calls[0]?.answer("authOk");
  await clock.hasTimers(1);
  abort();
  assertEquals([await first, await second], [OK, GONE]);
  const { request, answer } = await call(1);
  assertEquals(request.username, "bob");
  answer("authOk");
  assertEquals(await third, OK);
  assertEquals(clock.timers(), []);
});

Deno.test("maxConcurrent() keeps a place until the provider has answered, gone client or not", async () => {
  using clock = newClock();
  const { provider, calls } = newSlowProvider();
  const bounded = maxConcurrent(provider, { limit: 1, queueLength: 0 });
  const { signal, abort } = newCountedSignal();
  const first = outcomeOf(bounded, {}, signal);
  abort();
  assertEquals(await first, GONE);
  assertEquals(await outcomeOf(bounded), BUSY, "the call is still under way");
  calls[0]?.fail(new Error("aborted"));
  await Promise.resolve();
  const next = outcomeOf(bounded);
  calls[1]?.answer("authOk");
  assertEquals(await next, OK);
  assertEquals(clock.timers(), []);
});

Deno.test("maxConcurrent() frees the place however a call ends", async () => {
  const ends: readonly (readonly [() => unknown, Outcome])[] = [
    [() => "authOk", OK],
    [() => "authInvalid", ["authInvalid", "wrong-credentials"]],
    [() => Promise.resolve("authOk"), OK],
    [() => Promise.reject(new Error("down")), [
      "authFailure",
      "provider-error",
    ]],
    [() => JSON.parse("!"), ["authFailure", "provider-error"]],
    [() => "nonsense", ["authFailure", "provider-nonsense"]],
    [() => null, ["authFailure", "provider-nonsense"]],
  ];
  for (const [end, outcome] of ends) {
    const options = { limit: 1, queueLength: 0 };
    const bounded = maxConcurrent(end as AuthProvider, options);
    for (let i = 0; i < 5; i++) assertEquals(await outcomeOf(bounded), outcome);
  }
});

Deno.test("maxConcurrent() hands on all that a result says", async () => {
  const result: AuthResult = {
    decision: "authOk",
    user: "ann",
    senders: [],
    context: { tenant: 1 },
  };
  const bounded = maxConcurrent(() => result);
  assertEquals(await bounded(newRequest()), result);
});

Deno.test("maxConcurrent() hands on the same request and the same signal", async () => {
  const request = newRequest();
  const { signal } = new AbortController();
  const bounded = maxConcurrent((asked, heard) => {
    assertStrictEquals(asked, request);
    assertStrictEquals(heard, signal);
    return "authOk";
  });
  assertEquals(await decisionOf(bounded, request, signal), "authOk");
});

Deno.test("maxConcurrent() never asks more at once than the limit, whatever happens", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    using clock = newClock();
    const random = newRandom(seed);
    const limit = 1 + random(3);
    const { provider, calls } = newSlowProvider();
    const bounded = maxConcurrent(provider, {
      limit,
      queueLength: random(5),
      queueMs: 50,
    });
    const outcomes: Promise<Outcome>[] = [];
    const clients: (() => void)[] = [];
    let answered = 0;
    const answerNext = () => {
      const call = calls[answered];
      if (call === undefined) return false;
      answered++;
      const decisions: readonly AuthDecision[] = ["authOk", "authInvalid"];
      const decision = decisions[random(3)];
      if (decision === undefined) call.fail(new Error("down"));
      else call.answer(decision);
      return true;
    };
    for (let step = 0; step < 200; step++) {
      const { signal, abort } = newCountedSignal();
      switch (random(5)) {
        case 0:
        case 1:
          outcomes.push(outcomeOf(bounded, {}, signal));
          clients.push(abort);
          break;
        case 2:
          answerNext();
          break;
        case 3:
          clients[random(clients.length + 1)]?.();
          break;
        default:
          clock.wind(random(30));
      }
      if (random(2) === 0) await Promise.resolve();
      assert(calls.length - answered <= limit, `seed ${seed}`);
    }
    clock.wind(50);
    for (let i = 0; i < 20; i++) {
      while (answerNext());
      await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
    }
    await Promise.all(outcomes);
    assertEquals(clock.timers(), [], `seed ${seed}`);
    // All places are free: none was lost on the way.
    const last = Array.from({ length: limit }, () => outcomeOf(bounded));
    assertEquals(calls.length - answered, limit, `seed ${seed}`);
    while (answerNext());
    await Promise.all(last);
  }
});

Deno.test("maxConcurrent() refuses settings that cannot be meant", () => {
  const rows = [
    [{ limit: 0 }, "limit must be an integer >= 1: got 0"],
    [{ limit: NaN }, "limit must be an integer >= 1: got NaN"],
    [{ queueLength: -1 }, "queueLength must be an integer >= 0: got -1"],
    [{ queueMs: 0 }, "queueMs must be a number > 0 and <= 2147483647: got 0"],
  ] as const;
  for (const [options, rule] of rows) {
    const error = assertThrows(
      () => maxConcurrent(() => "authOk", options),
      RangeError,
    );
    assertEquals(error.message, `Cannot create concurrency limit: ${rule}`);
  }
});
