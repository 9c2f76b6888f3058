import { withCache } from "../../../auth/guards/cache/cache.ts";
import { firstProvider } from "../../../auth/providers/first.ts";
import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";
import { maxConcurrent } from "../../../auth/guards/max_concurrent.ts";
import { withThrottle } from "../../../auth/guards/throttle/throttle.ts";
import { assertEquals } from "../../support/assert.ts";
import { outcomeOf } from "../../support/asked_provider.ts";
import { newClock } from "../../support/clock.ts";
import { newCountedSignal } from "../../support/counted_signal.ts";
import { newCountingStore } from "../../support/throttle_store.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

type Answer = () => Response | Promise<Response>;

const yes: Answer = () => Response.json({ ok: true });
const no: Answer = () => Response.json({ ok: false });
const broken: Answer = () => new Response(null, { status: 500 });
const refused: Answer = () => Promise.reject(new TypeError("refused"));
const silent: Answer = () => new Promise(() => {});

/** Everything around an HTTP endpoint, in the order that main.ts uses. */
function newStack(now: () => number) {
  const state: { answer: Answer; asked: number } = { answer: yes, asked: 0 };
  const http = newHTTPAuthProvider("https://intranet.example/may-send", {
    fetch: () => {
      state.asked++;
      return Promise.resolve(state.answer());
    },
  });
  const bounded = maxConcurrent(http, { limit: 1, queueLength: 0 });
  const cached = withCache(bounded, { ttlMs: 1000, graceMs: 5000, now });
  const provider = withThrottle(cached, {
    store: newCountingStore(),
    delayMs: 0,
    now,
  });
  return { state, provider };
}

Deno.test("withThrottle(withCache(maxConcurrent(http))) tells the reason of each outcome", async () => {
  using clock = newClock();
  const { state, provider } = newStack(clock.now);
  const ann = { username: "ann", password: "right" };
  const bob = { username: "bob", password: "right" };

  assertEquals(await outcomeOf(provider, ann), ["authOk", "ok"]);
  assertEquals(await outcomeOf(provider, ann), ["authOk", "cached"]);
  clock.wind(1000);
  state.answer = broken;
  assertEquals(
    await outcomeOf(provider, ann),
    ["authOk", "cached-through-outage"],
  );
  assertEquals(
    await outcomeOf(provider, bob),
    ["authFailure", "backend-status"],
  );
  state.answer = refused;
  assertEquals(
    await outcomeOf(provider, bob),
    ["authFailure", "backend-unreachable"],
  );

  state.answer = silent;
  const { signal, abort } = newCountedSignal();
  const waiting = outcomeOf(provider, bob, signal);
  await clock.hasTimers(1);
  assertEquals(
    await outcomeOf(provider, { ...bob, username: "cat" }),
    ["authFailure", "backend-busy"],
  );
  assertEquals(
    await outcomeOf(provider, ann),
    ["authOk", "cached-through-outage"],
    "busy is an outage too",
  );
  abort();
  assertEquals(await waiting, ["authFailure", "client-gone"]);
  const late = outcomeOf(provider, bob);
  await clock.hasTimers(1);
  clock.wind(1200);
  assertEquals(await late, ["authFailure", "backend-timeout"]);

  state.answer = no;
  const guess = { ...bob, password: "x" };
  assertEquals(
    await outcomeOf(provider, guess),
    ["authInvalid", "wrong-credentials"],
  );
  assertEquals(await outcomeOf(provider, guess), ["authInvalid", "cached"]);
  for (let i = 0; i < 9; i++) {
    await outcomeOf(provider, { ...bob, password: `${i}` });
  }
  const before = state.asked;
  assertEquals(
    await outcomeOf(provider, bob),
    ["authFailure", "throttled-pair"],
  );
  assertEquals(state.asked, before);
  assertEquals(clock.timers(), []);
});

Deno.test("firstProvider() in a stack tells the reason of the one that decided", async () => {
  using clock = newClock();
  const { state, provider: remote } = newStack(clock.now);
  const local = withCache(({ username }) =>
    username === "printer" ? "authOk" : "authInvalid"
  );
  const provider = withThrottle(firstProvider(local, remote), {
    now: clock.now,
  });
  const printer = { username: "printer" };
  assertEquals(await outcomeOf(provider, printer), ["authOk", "ok"]);
  assertEquals(await outcomeOf(provider, printer), ["authOk", "cached"]);
  assertEquals(await outcomeOf(provider), ["authOk", "ok"]);
  state.answer = no;
  clock.wind(1000);
  assertEquals(
    await outcomeOf(provider),
    ["authInvalid", "wrong-credentials"],
  );
  state.answer = broken;
  assertEquals(
    await outcomeOf(provider, { password: "other" }),
    ["authFailure", "backend-status"],
  );
});
