import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store, StoreShare } from "../../../auth/state/store.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "../../support/assert.ts";
import { newClock } from "../../support/clock.ts";
import { put } from "../../support/store.ts";

const VALUE = { count: 1 };

const SHARES: Readonly<Record<StoreShare, number>> = {
  "login": 10,
  "limit": 4,
  "right": 3,
  "secret": 1,
  "guess-1": 1,
  "guess-3": 1,
  "guess-8": 1,
  "shared-1": 1,
  "shared-3": 1,
  "shared-8": 1,
};

Deno.test("newMemoryStore() reads what was written, at once", () => {
  const store = newMemoryStore();
  assertEquals(store.read(["a", "b"]), [undefined, undefined]);
  const writes = [["a", VALUE], ["b", 0]] as const;
  const keep = { keepMs: Infinity, share: "login" } as const;
  assertEquals(
    store.update(
      ["a", "b"],
      () => writes.map(([key, value]) => ({ key, value, ...keep })),
    ),
    undefined,
  );
  assertEquals(store.read(["b", "a", "c"]), [0, VALUE, undefined]);
  store.update(["a", "b"], (values) => {
    assertEquals(values, [VALUE, 0]);
    return [{ key: "b", value: undefined, ...keep }];
  });
  const values = store.read(["a", "b"]);
  assert(!(values instanceof Promise));
  assertStrictEquals(values[0], VALUE);
  assertEquals(values[1], undefined);
});

Deno.test("newMemoryStore() keeps a value for its time, from when it was written last", () => {
  using clock = newClock();
  const store = newMemoryStore();
  put(store, "a", 1, { keepMs: 1000 });
  put(store, "b", 1, { keepMs: 1000 });
  clock.wind(999);
  assertEquals(store.read(["a", "b"]), [1, 1]);
  put(store, "b", 2, { keepMs: 1000 });
  clock.wind(1);
  assertEquals(store.read(["a", "b"]), [undefined, 2]);
  store.update(["a"], (values) => {
    assertEquals(values, [undefined]);
    return [];
  });
});

Deno.test("newMemoryStore() holds 262,144 values, those used of late", () => {
  const store = newMemoryStore({ maxOctets: 2 ** 40 });
  const key = (i: number) => `user ${i}`;
  const write = { value: 1, keepMs: Infinity, share: "login" } as const;
  const fillFrom = (first: number, count: number) =>
    store.update([], () =>
      Array.from(
        { length: count },
        (_, i) => ({ key: key(first + i), ...write }),
      ));
  fillFrom(0, 262_144);
  store.read([key(0)]);
  fillFrom(262_144, 100);
  assertEquals(
    store.read([key(0), key(1), key(100), key(101), key(262_243)]),
    [1, undefined, undefined, 1, 1],
  );
});

Deno.test("newMemoryStore() holds 64 MiB", () => {
  const store = newMemoryStore();
  const keys = Array.from({ length: 200 }, (_, i) => `${1000 + i}`);
  for (const key of keys) put(store, key, "x".repeat(1_000_000));
  // A character takes two octets.
  assertEquals(heldOf(store, keys), 33);
  put(store, "ann", "x".repeat(40_000_000));
  assertEquals(store.read(["ann", keys[199] ?? ""]), [undefined, undefined]);
});

/** How many of the keys have a value. */
function heldOf(store: Store, keys: readonly string[]): number {
  const values = store.read(keys);
  assert(!(values instanceof Promise));
  return values.filter((value) => value !== undefined).length;
}

function keysOf(share: string): readonly string[] {
  return Array.from({ length: 480 }, (_, i) => `${share} ${i}`);
}

function fill(store: Store, share: StoreShare, value: unknown = VALUE): void {
  for (const key of keysOf(share)) put(store, key, value, { share });
}

function sharesOf(): readonly StoreShare[] {
  return Object.keys(SHARES).filter((name): name is StoreShare =>
    name in SHARES
  );
}

Deno.test("newMemoryStore() gives each share its parts, and what others leave", () => {
  for (const first of sharesOf()) {
    const store = newMemoryStore({ maxEntries: 480 });
    fill(store, first);
    assertEquals(heldOf(store, keysOf(first)), 480, "all of it, alone");
    for (const share of sharesOf()) fill(store, share);
    for (const share of sharesOf()) {
      assertEquals(heldOf(store, keysOf(share)), 20 * SHARES[share], share);
    }
  }
});

Deno.test("newMemoryStore() shares octets as well", () => {
  const store = newMemoryStore({ maxOctets: 330_000 });
  const keys = Array.from({ length: 2000 }, (_, i) => `${10_000 + i}`);
  for (const key of keys) put(store, `l${key}`, { user: "ann", at: 1 });
  const guesses = Array.from({ length: 60 }, (_, i) => i);
  for (const key of keys) {
    put(store, `g${key}`, guesses, { share: "guess-1" });
  }
  // 180 for a value, 2 for each character of a text, 24 for each object or
  // list, 12 for each member; ten parts for logins, one for guesses.
  const login = 180 + 2 * 6 + 24 + 2 * 12 + 2 * 3;
  const guess = 180 + 2 * 6 + 24 + 60 * 12;
  const held = heldOf(store, keys.map((key) => `g${key}`));
  assertEquals(held, Math.floor(30_000 / guess));
  assertEquals(
    heldOf(store, keys.map((key) => `l${key}`)),
    Math.floor((330_000 - held * guess) / login),
  );
});

Deno.test("newMemoryStore() moves a value to another share as it is written", () => {
  const store = newMemoryStore({ maxEntries: 240 });
  put(store, "ann", 1, { share: "shared-1" });
  put(store, "ann", 2, { share: "guess-8" });
  fill(store, "shared-1");
  fill(store, "guess-1");
  assertEquals(store.read(["ann"]), [2]);
  put(store, "ann", 3, { share: "guess-1" });
  fill(store, "guess-1");
  assertEquals(store.read(["ann"]), [undefined]);
});

Deno.test("newMemoryStore() puts a share that is none with what anybody can make", () => {
  const store = newMemoryStore({ maxEntries: 240 });
  fill(store, "login");
  put(store, "ann", 1, { share: "none" as StoreShare });
  fill(store, "shared-1");
  assertEquals(store.read(["ann"]), [undefined]);
  assertEquals(heldOf(store, keysOf("login")), 219);
});

Deno.test("newMemoryStore() refuses limits that cannot be meant", () => {
  const rows = [
    ["maxEntries", 0],
    ["maxEntries", 1.5],
    ["maxEntries", NaN],
    ["maxOctets", -1],
    ["maxOctets", Infinity],
  ] as const;
  for (const [name, value] of rows) {
    const error = assertThrows(
      () => newMemoryStore({ [name]: value }),
      RangeError,
    );
    assertEquals(
      error.message,
      `Cannot create memory store: ${name} must be an integer >= 1: got ${value}`,
    );
  }
});
