import type { StateEvent } from "../../../auth/events.ts";
import { steadyStore, withFallback } from "../../../auth/state/fallback.ts";
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

/** Lets everything happen that waits for nothing. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}

/** A store that can be told to fail in one way or another. */
function newFrail() {
  const memory = newMemoryStore();
  const frail = {
    asked: 0,
    fail: undefined as undefined | (() => never | Promise<never>),
    failsToWriteOnly: false,
    memory,
  };
  const store: Store = {
    read: (keys) => {
      frail.asked++;
      return frail.fail === undefined || frail.failsToWriteOnly
        ? memory.read(keys)
        : frail.fail();
    },
    update: (keys, change) => {
      frail.asked++;
      return frail.fail?.() ?? memory.update(keys, change);
    },
  };
  return { frail, store };
}

const down = () => Promise.reject(new Error("down"));
const silent = () => new Promise<never>(() => {});

Deno.test("withFallback() hands on what a good store says, at once or later", async () => {
  using clock = newClock();
  const memory = newMemoryStore();
  const slow: Store = {
    read: (keys) => Promise.resolve(memory.read(keys)),
    update: (keys, change) => Promise.resolve(memory.update(keys, change)),
  };
  for (const store of [memory, slow]) {
    const steady = withFallback(store);
    await put(steady, "a", 1);
    const read = steady.read(["a"]);
    assertEquals(read instanceof Promise, store === slow);
    assertEquals(await read, [1]);
    assertEquals(await memory.read(["a"]), [1]);
  }
  assertEquals(clock.timers(), []);
});

Deno.test("withFallback() keeps things in memory while a store is no good, and says so once", async () => {
  const rows: readonly (readonly [() => never | Promise<never>, StateEvent])[] =
    [
      [() => {
        throw new TypeError("down");
      }, {
        kind: "state",
        outcome: "away",
        reason: "error",
        detail: "TypeError: down",
      }],
      [down, {
        kind: "state",
        outcome: "away",
        reason: "error",
        detail: "Error: down",
      }],
    ];
  for (const [fail, event] of rows) {
    const events: StateEvent[] = [];
    const { frail, store } = newFrail();
    frail.fail = fail;
    const steady = withFallback(store, { onEvent: (e) => events.push(e) });
    const reads = [steady.read(["a"]), steady.read(["a"])];
    assertEquals(await Promise.all(reads), [[undefined], [undefined]]);
    await put(steady, "a", 1);
    assertEquals(await steady.read(["a"]), [1]);
    assertEquals(events, [event]);
  }
});

Deno.test("withFallback() waits 250 ms for a store, or as long as it is told, and leaves it alone for 5 s", async () => {
  for (const timeoutMs of [undefined, 100]) {
    using clock = newClock();
    const { frail, store } = newFrail();
    frail.fail = silent;
    const steady = withFallback(store, timeoutMs ? { timeoutMs } : {});
    const limit = timeoutMs ?? 250;
    const first = put(steady, "a", 1);
    assertEquals(clock.timers(), [limit]);
    clock.wind(limit);
    await first;
    clock.wind(4999);
    for (let i = 0; i < 10; i++) assertEquals(await steady.read(["a"]), [1]);
    assertEquals([frail.asked, clock.timers().length], [1, 0]);
  }
});

Deno.test("withFallback() tries every 5 s whether a store is back, and nobody waits for that", async () => {
  using clock = newClock();
  const events: StateEvent[] = [];
  const { frail, store } = newFrail();
  frail.fail = silent;
  const steady = withFallback(store, {
    onEvent: (event) => events.push(event),
  });
  const first = put(steady, "a", 1);
  clock.wind(250);
  await first;
  for (const asked of [2, 3]) {
    clock.wind(5000);
    for (let i = 0; i < 10; i++) assertEquals(steady.read(["a"]), [1]);
    assertEquals([frail.asked, clock.timers()], [asked, [250]]);
    clock.wind(250);
    await settled();
  }
  frail.fail = undefined;
  clock.wind(4999);
  assertEquals(steady.read(["a"]), [1]);
  await settled();
  assertEquals(steady.read(["a"]), [undefined]);
  assertEquals(events, [
    { kind: "state", outcome: "away", reason: "timeout" },
    { kind: "state", outcome: "back", milliseconds: 15_499 },
  ]);
});

Deno.test("withFallback() takes a store that can only be read for one that is away", async () => {
  using clock = newClock();
  const events: StateEvent[] = [];
  const { frail, store } = newFrail();
  frail.fail = down;
  frail.failsToWriteOnly = true;
  await put(frail.memory, "a", 7);
  const steady = withFallback(store, {
    onEvent: (event) => events.push(event),
  });
  assertEquals(steady.read(["a"]), [7]);
  await put(steady, "a", 1);
  for (let i = 0; i < 3; i++) {
    clock.wind(5000);
    assertEquals(steady.read(["a"]), [1]);
    await settled();
  }
  assertEquals(events.map(({ outcome }) => outcome), ["away"]);
  frail.fail = undefined;
  clock.wind(5000);
  steady.read(["a"]);
  await settled();
  assertEquals(steady.read(["a"]), [7]);
  assertEquals(events.map(({ outcome }) => outcome), ["away", "back"]);
});

Deno.test("withFallback() begins each outage with nothing", async () => {
  using clock = newClock();
  const { frail, store } = newFrail();
  const steady = withFallback(store);
  for (let outage = 0; outage < 2; outage++) {
    frail.fail = down;
    assertEquals(await steady.read(["a"]), [undefined]);
    await put(steady, "a", 1);
    frail.fail = undefined;
    clock.wind(5000);
    steady.read(["a"]);
    await settled();
    assertEquals(steady.read(["a"]), [undefined]);
  }
});

Deno.test("withFallback() takes one that answers nonsense, or never asks what to write, for no good", async () => {
  const rows: readonly unknown[] = [undefined, null, "text", [], [1, 2], {}];
  for (const answer of rows) {
    const events: StateEvent[] = [];
    const store = {
      read: () => answer,
      update: () => answer,
    } as unknown as Store;
    const steady = withFallback(store, { onEvent: (e) => events.push(e) });
    assertEquals(await steady.read(["a"]), [undefined]);
    assertEquals(events, [
      { kind: "state", outcome: "away", reason: "nonsense" },
    ]);
  }
  const forgets: Store = {
    read: (keys) => keys.map(() => 7),
    update: () => {},
  };
  const steady = withFallback(forgets);
  assertEquals(steady.read(["a"]), [7]);
  await put(steady, "a", 1);
  assertEquals(steady.read(["a"]), [1]);
});

Deno.test("withFallback() is not harmed by a hook that throws, and waits for whatever has a then", async () => {
  const then = (resolve: (value: unknown) => void) => resolve([7]);
  const store = { read: () => ({ then }), update: down } as unknown as Store;
  const steady = withFallback(store, {
    onEvent: () => {
      throw new Error("hook");
    },
  });
  const read = steady.read(["a"]);
  assert(read instanceof Promise);
  assertEquals(await read, [7]);
  await put(steady, "a", 1);
  assertEquals(await steady.read(["a"]), [1]);
});

Deno.test("withFallback() leaves a store that has one as it is", () => {
  const steady = withFallback(newMemoryStore());
  assertStrictEquals(withFallback(steady), steady);
});

Deno.test("steadyStore() is one for all who share a store, the one that was made for it", async () => {
  const { frail, store } = newFrail();
  frail.fail = down;
  const [one, other] = [steadyStore(store, 250), steadyStore(store, 100)];
  await put(one, "a", 1);
  assertEquals(await other.read(["a"]), [1]);
  const { store: told } = newFrail();
  const steady = withFallback(told);
  assertStrictEquals(steadyStore(told, 250), steady);
  assertStrictEquals(steadyStore(steady, 250), steady);
});

Deno.test("withFallback() says once that a store is back, however many writes have tried it", async () => {
  const events: StateEvent[] = [];
  const { frail, store } = newFrail();
  frail.fail = down;
  const steady = withFallback(store, {
    restMs: 0,
    onEvent: (event) => events.push(event),
  });
  await steady.read(["a"]);
  frail.fail = undefined;
  await Promise.all([steady.read(["a"]), steady.read(["a"])]);
  await settled();
  assertEquals(events.map(({ outcome }) => outcome), ["away", "back"]);
});
