import { newSteadyStore } from "../../../auth/state/fallback.ts";
import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store } from "../../../auth/state/store.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
} from "../../support/assert.ts";
import { newClock } from "../../support/clock.ts";
import { put } from "../../support/store.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Stores that are no good, each in its own way. */
const BROKEN: readonly (readonly [string, () => never | Promise<never>])[] = [
  ["throws", () => {
    throw new Error("down");
  }],
  ["rejects", () => Promise.reject(new Error("down"))],
];

Deno.test("newSteadyStore() hands on what a good store says, at once or later", async () => {
  using clock = newClock();
  const memory = newMemoryStore();
  const slow: Store = {
    read: (keys) => Promise.resolve(memory.read(keys)),
    update: (keys, change) => Promise.resolve(memory.update(keys, change)),
  };
  for (const store of [memory, slow]) {
    const steady = newSteadyStore(store, 250);
    await put(steady, "a", 1);
    const read = steady.read(["a"]);
    assertEquals(read instanceof Promise, store === slow);
    assertEquals(await read, [1]);
    assertEquals(await memory.read(["a"]), [1]);
  }
  assertEquals(clock.timers(), []);
});

Deno.test("newSteadyStore() keeps things in memory while a store is no good", async () => {
  for (const [what, fail] of BROKEN) {
    const store: Store = { read: fail, update: fail };
    const steady = newSteadyStore(store, 250);
    assertEquals(await steady.read(["a"]), [undefined], what);
    await put(steady, "a", 1);
    assertEquals(await steady.read(["a"]), [1], what);
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
  const first = put(steady, "a", 1);
  assertEquals(clock.timers(), [250]);
  clock.wind(250);
  await first;
  for (let i = 0; i < 10; i++) {
    assertEquals(await steady.read(["a"]), [1]);
  }
  assertEquals([asked, clock.timers().length], [1, 0]);
  clock.wind(5000);
  const second = steady.read(["a"]);
  assert(second instanceof Promise);
  assertEquals([asked, clock.timers()], [2, [250]]);
  clock.wind(250);
  assertEquals(await second, [1]);
});

Deno.test("newSteadyStore() takes one that never asks what to write for no good", async () => {
  const store: Store = { read: (keys) => keys.map(() => 7), update: () => {} };
  const steady = newSteadyStore(store, 250);
  assertEquals(steady.read(["a"]), [7]);
  await put(steady, "a", 1);
  assertEquals(steady.read(["a"]), [1]);
});

Deno.test("newSteadyStore() leaves a steady store as it is", () => {
  const steady = newSteadyStore(newMemoryStore(), 250);
  assertStrictEquals(newSteadyStore(steady, 100), steady);
});
