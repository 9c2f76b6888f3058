import { newSteadyStore } from "../../../../auth/guards/throttle/fallback_store.ts";
import { newMemoryThrottleStore } from "../../../../auth/guards/throttle/memory_store.ts";
import type {
  ThrottleEntry,
  ThrottleStore,
} from "../../../../auth/guards/throttle/store.ts";
import { assert, assertEquals } from "../../../support/assert.ts";
import { newClock } from "../../../support/clock.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const ENTRY: ThrottleEntry = {
  ...{ count: 1, home: 0, late: 0, shared: false, typed: "" },
  at: 1000,
  keepMs: 1000,
  guesses: [],
  networks: [],
};

/** Stores that are no good, each in its own way. */
const BROKEN: readonly (readonly [string, () => never | Promise<never>])[] = [
  ["throws", () => {
    throw new Error("down");
  }],
  ["rejects", () => Promise.reject(new Error("down"))],
];

Deno.test("newSteadyStore() hands on what a good store says, at once or later", async () => {
  using clock = newClock();
  const memory = newMemoryThrottleStore();
  const secret = new Uint8Array(32).fill(1);
  const slow: ThrottleStore = {
    read: (keys) => Promise.resolve(memory.read(keys)),
    update: (keys, change) => Promise.resolve(memory.update(keys, change)),
    secret: () => Promise.resolve(secret),
  };
  for (const store of [memory, slow]) {
    const steady = newSteadyStore(store, 250);
    await steady.update(["a"], () => [ENTRY]);
    const read = steady.read(["a"]);
    assertEquals(read instanceof Promise, store === slow);
    assertEquals(await read, [ENTRY]);
    assertEquals(await memory.read(["a"]), [ENTRY]);
    assertEquals((await steady.secret()).length, 32);
  }
  assertEquals(await newSteadyStore(slow, 250).secret(), secret);
  assertEquals(clock.timers(), []);
});

Deno.test("newSteadyStore() keeps things in memory while a store is no good", async () => {
  for (const [what, fail] of BROKEN) {
    const store: ThrottleStore = { read: fail, update: fail, secret: fail };
    const steady = newSteadyStore(store, 250);
    assertEquals(await steady.read(["a"]), [undefined], what);
    await steady.update(["a"], () => [ENTRY]);
    assertEquals(await steady.read(["a"]), [ENTRY], what);
    const secret = await steady.secret();
    assertEquals(await steady.secret(), secret, what);
    assertEquals(secret.length, 32);
  }
});

Deno.test("newSteadyStore() waits so long for a store, then leaves it alone for 5 s", async () => {
  using clock = newClock();
  let asked = 0;
  const silent = () => {
    asked++;
    return new Promise<never>(() => {});
  };
  const steady = newSteadyStore(
    { read: silent, update: silent },
    250,
  );
  const first = steady.update(["a"], () => [ENTRY]);
  assertEquals(clock.timers(), [250]);
  clock.wind(250);
  await first;
  for (let i = 0; i < 10; i++) {
    assertEquals(await steady.read(["a"]), [ENTRY]);
  }
  assertEquals([asked, clock.timers().length], [1, 0]);
  clock.wind(5000);
  const second = steady.read(["a"]);
  assert(second instanceof Promise);
  assertEquals([asked, clock.timers()], [2, [250]]);
  clock.wind(250);
  assertEquals(await second, [ENTRY]);
});
