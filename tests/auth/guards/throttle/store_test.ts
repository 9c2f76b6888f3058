import {
  newMemoryThrottleStore,
  type ThrottleEntry,
} from "../../../../auth/guards/throttle/store.ts";
import {
  assert,
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "../../../support/assert.ts";

const ENTRY: ThrottleEntry = {
  count: 1,
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
      `Cannot create throttle store: ${name} must be a whole number >= 1: got ${value}`,
    );
  }
});
