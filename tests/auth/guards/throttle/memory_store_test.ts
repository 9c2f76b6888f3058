import { newMemoryThrottleStore } from "../../../../auth/guards/throttle/memory_store.ts";
import type {
  ThrottleEntry,
  ThrottleStore,
} from "../../../../auth/guards/throttle/store.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "../../../support/assert.ts";

const ENTRY: ThrottleEntry = {
  ...{ count: 1, home: 0, late: 0, shared: false, typed: "" },
  at: 1000,
  keepMs: 1000,
  guesses: [],
  networks: [],
};

Deno.test("newMemoryThrottleStore() reads what was written, at once", () => {
  const store = newMemoryThrottleStore();
  assertEquals(store.read(["a", "b"]), [undefined, undefined]);
  const other = { ...ENTRY, count: 2 };
  assertEquals(store.update(["a", "b"], () => [ENTRY, other]), undefined);
  assertEquals(store.read(["b", "a", "c"]), [other, ENTRY, undefined]);
  store.update(["a", "b"], ([a]) => [a, undefined]);
  const entries = store.read(["a", "b"]);
  assert(!(entries instanceof Promise));
  assertStrictEquals(entries[0], ENTRY);
  assertEquals(entries[1], undefined);
});

Deno.test("newMemoryThrottleStore() holds 65,536 entries, those used of late", () => {
  const store = newMemoryThrottleStore();
  for (let i = 0; i < 70_000; i++) {
    store.update([`user ${i}`], () => [ENTRY]);
    store.read(["user 0"]);
  }
  assertEquals(
    store.read(["user 0", "user 4464", "user 4465"]),
    [ENTRY, undefined, ENTRY],
  );
});

Deno.test("newMemoryThrottleStore() holds 32 MiB of entries with long names", () => {
  const store = newMemoryThrottleStore();
  const name = (i: number) => `user ${"\u732b".repeat(315)}${10_000 + i}`;
  for (let i = 0; i < 40_000; i++) store.update([name(i)], () => [ENTRY]);
  let held = 0;
  for (let i = 0; i < 40_000; i++) {
    const entries = store.read([name(i)]);
    if (!(entries instanceof Promise) && entries[0] !== undefined) held++;
  }
  // 250 for the entry, 2 for each character of its key.
  assertEquals(held, Math.floor(33_554_432 / (250 + 2 * 325)));
});

/** An entry that counts so many guesses. */
function guesses(count: number, shared = false): ThrottleEntry {
  return { ...ENTRY, count, shared };
}

const LOGIN: ThrottleEntry = {
  ...ENTRY,
  networks: [{ user: "ann", network: "192.0.2.0/24", at: 1 }],
};

/** How many of the entries `<kind> 0`, `<kind> 1` … are there. */
function held(store: ThrottleStore, kind: string): number {
  const keys = Array.from({ length: 2000 }, (_, i) => `${kind} ${i}`);
  const entries = store.read(keys);
  assert(!(entries instanceof Promise));
  return entries.filter((entry) => entry !== undefined).length;
}

function fill(store: ThrottleStore, kind: string, entry: ThrottleEntry): void {
  for (let i = 0; i < 2000; i++) store.update([`${kind} ${i}`], () => [entry]);
}

Deno.test("newMemoryThrottleStore() gives each kind its share, and what others leave", () => {
  const kinds = {
    login: LOGIN,
    first: guesses(2),
    some: guesses(3),
    many: guesses(8),
    sharedFirst: guesses(2, true),
    sharedSome: guesses(7, true),
    sharedMany: guesses(20, true),
  };
  const names = Object.entries(kinds);
  for (const [first, entry] of names) {
    const store = newMemoryThrottleStore({ maxEntries: 1200 });
    fill(store, first, entry);
    assertEquals(held(store, first), 1200, "all of it, alone");
    for (const [name, entry] of names) fill(store, name, entry);
    for (const [name] of names) {
      assertEquals(held(store, name), name === "login" ? 600 : 100, name);
    }
  }
});

Deno.test("newMemoryThrottleStore() shares octets as well", () => {
  const store = newMemoryThrottleStore({ maxOctets: 105_000 });
  fill(store, "login", LOGIN);
  const guesses = Array.from({ length: 60 }, (_, i) => i);
  fill(store, "first", { ...ENTRY, guesses });
  // 250 for an entry, 2 for each character of a text, 8 for each guess, 80 for
  // each network.
  assertEquals(held(store, "login"), Math.floor(90_000 / (250 + 20 + 80 + 30)));
  assertEquals(held(store, "first"), 15_000 / (250 + 20 + 480));
});

Deno.test("newMemoryThrottleStore() moves an entry to another kind as its counts do", () => {
  const store = newMemoryThrottleStore({ maxEntries: 120 });
  store.update(["ann"], () => [guesses(2, true)]);
  store.update(["ann"], () => [guesses(8)]);
  fill(store, "shared", guesses(2, true));
  fill(store, "first", guesses(1));
  assertEquals(store.read(["ann"]), [guesses(8)]);
  store.update(["ann"], () => [guesses(1)]);
  fill(store, "first", guesses(1));
  assertEquals(store.read(["ann"]), [undefined]);
});

Deno.test("newMemoryThrottleStore() refuses limits that cannot be meant", () => {
  const rows = [
    ["maxEntries", 0],
    ["maxEntries", 1.5],
    ["maxEntries", NaN],
    ["maxOctets", -1],
    ["maxOctets", Infinity],
  ] as const;
  for (const [name, value] of rows) {
    const error = assertThrows(
      () => newMemoryThrottleStore({ [name]: value }),
      RangeError,
    );
    assertEquals(
      error.message,
      `Cannot create throttle store: ${name} must be an integer >= 1: got ${value}`,
    );
  }
});
