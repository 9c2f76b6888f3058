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
