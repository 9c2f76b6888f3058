import { withCache } from "../../../../auth/guards/cache/cache.ts";
import { assertEquals } from "../../../support/assert.ts";
import {
  newSlowProvider,
  type Outcome,
  outcomeOf,
} from "../../../support/asked_provider.ts";
import {
  type CountedSignal,
  newCountedSignal,
} from "../../../support/counted_signal.ts";
import { eventually } from "../../../support/eventually.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const OK: Outcome = ["authOk", "ok"];
const CACHED: Outcome = ["authOk", "cached"];

/** Resolves when all of these clients wait for a call. */
async function allWait(clients: readonly CountedSignal[]): Promise<void> {
  await eventually(
    "clients that wait",
    () => clients.every(({ listening }) => listening() === 1),
  );
}

Deno.test("withCache() makes one call of the same requests under way", async () => {
  const { provider, calls, call } = newSlowProvider();
  const cache = withCache(provider);
  const decisions = ["authFailure", "authInvalid", "authOk"] as const;
  for (const [i, decision] of decisions.entries()) {
    const clients = Array.from({ length: 20 }, newCountedSignal);
    const outcomes = clients.map(({ signal }) =>
      outcomeOf(cache, { password: `${i}` }, signal)
    );
    await allWait(clients);
    (await call(i)).answer({ decision, reason: "backend-status" });
    assertEquals(
      await Promise.all(outcomes),
      new Array(20).fill([decision, "backend-status"]),
    );
    assertEquals(calls.length, i + 1);
  }
});

Deno.test("withCache() tells the back end of each address and HELO name", async () => {
  const { provider, calls, call } = newSlowProvider();
  const cache = withCache(provider);
  const outcomes = [
    outcomeOf(cache),
    outcomeOf(cache, { remoteIp: "198.51.100.1" }),
    outcomeOf(cache, { heloName: "phone" }),
    outcomeOf(cache, { remoteIp: "", heloName: "phone" }),
    outcomeOf(cache, { remoteIp: "phone", heloName: "" }),
  ];
  await call(4);
  for (const { answer } of calls) answer("authOk");
  await Promise.all(outcomes);
  assertEquals(calls.length, 5);
});

Deno.test("withCache() takes a call from nobody because another has gone", async () => {
  const { provider, calls, call } = newSlowProvider();
  const cache = withCache(provider);
  const clients = Array.from({ length: 3 }, newCountedSignal);
  const outcomes = clients.map(({ signal }) => outcomeOf(cache, {}, signal));
  await allWait(clients);
  const { signal, answer } = await call(0);
  // The first, whose request it seems to be.
  clients[0]?.abort();
  assertEquals(await outcomes[0], ["authFailure", "client-gone"]);
  assertEquals(signal?.aborted, false);
  answer("authOk");
  assertEquals([await outcomes[1], await outcomes[2]], [OK, OK]);
  assertEquals(clients.map(({ listening }) => listening()), [0, 0, 0]);
  assertEquals(calls.length, 1);
  assertEquals(await outcomeOf(cache), CACHED);
});

Deno.test("withCache() aborts a call when all have gone, and begins another for the next", async () => {
  const { provider, calls, call } = newSlowProvider();
  const cache = withCache(provider);
  const clients = Array.from({ length: 2 }, newCountedSignal);
  const outcomes = clients.map(({ signal }) => outcomeOf(cache, {}, signal));
  await allWait(clients);
  const { signal } = await call(0);
  clients[0]?.abort();
  assertEquals(await outcomes[0], ["authFailure", "client-gone"]);
  assertEquals(signal?.aborted, false);
  clients[1]?.abort();
  assertEquals(await outcomes[1], ["authFailure", "client-gone"]);
  assertEquals(signal?.aborted, true);
  calls[0]?.answer("authOk"); // too late
  const next = outcomeOf(cache);
  (await call(1)).answer("authInvalid");
  assertEquals((await next)[0], "authInvalid");
  assertEquals(clients.map(({ listening }) => listening()), [0, 0]);
});
