import { oneAtATime } from "../../lib/one_at_a_time.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("oneAtATime() lets all who ask meanwhile share one more run", async () => {
  const gates: PromiseWithResolvers<void>[] = [];
  const work = oneAtATime(() => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  });
  const first = work();
  const others = [work(), work(), work()];
  assertEquals(gates.length, 1);
  gates[0]?.resolve();
  await first;
  await Promise.resolve();
  assertEquals(gates.length, 2, "one for the others");
  const last = work();
  gates[1]?.resolve();
  await Promise.all(others);
  await Promise.resolve();
  assertEquals(gates.length, 3, "one for who came after that had begun");
  gates[2]?.resolve();
  await last;
  const later = work();
  assertEquals(gates.length, 4);
  gates[3]?.resolve();
  await later;
});

Deno.test("oneAtATime() tells each of the failure of its own run", async () => {
  let runs = 0;
  const work = oneAtATime(() =>
    ++runs === 1 ? Promise.reject(new Error("no")) : Promise.resolve()
  );
  const first = work();
  const second = work();
  await assertRejects(() => first, Error, "no");
  await second;
  assertEquals(runs, 2);
});

Deno.test("oneAtATime() begins no run beside the one that others wait for", async () => {
  let running = 0;
  let most = 0;
  const gates: PromiseWithResolvers<void>[] = [];
  const work = oneAtATime(async () => {
    most = Math.max(most, ++running);
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    running--;
  });
  // Who has waited for a run asks again as soon as it has ended.
  const twice = work().then(() => work());
  const other = work();
  for (let turns = 0; turns < 50; turns++) {
    gates.at(-1)?.resolve();
    await undefined;
  }
  await Promise.all([twice, other]);
  assertEquals(most, 1);
});
