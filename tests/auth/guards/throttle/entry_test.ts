import {
  throttleEntries,
  type ThrottleEntry,
} from "../../../../auth/guards/throttle/entry.ts";
import { newMemoryStore } from "../../../../auth/state/memory_store.ts";
import type { StoreShare } from "../../../../auth/state/store.ts";
import { assertEquals } from "../../../support/assert.ts";

const ENTRY: ThrottleEntry = {
  ...{ count: 1, home: 0, late: 0, shared: false, typed: "" },
  at: 1000,
  keepMs: 60_000,
  guesses: [1, 2],
  networks: [{ user: "ann", network: "192.0.2.0/24", at: 1 }],
};

Deno.test("throttleEntries() takes what it cannot have written for nothing, and writes over it", () => {
  const values = [
    null,
    7,
    "text",
    [],
    {},
    { ...ENTRY, count: NaN },
    { ...ENTRY, at: "now" },
    { ...ENTRY, home: undefined },
    { ...ENTRY, late: "1" },
    { ...ENTRY, shared: 0 },
    { ...ENTRY, typed: null },
    { ...ENTRY, keepMs: undefined },
    { ...ENTRY, guesses: ["1"] },
    { ...ENTRY, guesses: {} },
    { ...ENTRY, networks: [null] },
    { ...ENTRY, networks: [{ user: "ann", network: 1, at: 1 }] },
    { ...ENTRY, networks: [{ network: "192.0.2.0/24", at: 1 }] },
  ];
  for (const value of values) {
    const store = newMemoryStore();
    const write = { value, keepMs: 1000, share: "login" } as const;
    store.update(["t:a"], () => [{ key: "t:a", ...write }]);
    const entries = throttleEntries(store);
    assertEquals(entries.read(["a"]), [undefined], Deno.inspect(value));
    entries.update(["a"], ([entry]) => [entry ?? ENTRY]);
    assertEquals(entries.read(["a"]), [ENTRY]);
  }
});

Deno.test("throttleEntries() keeps entries as long as they say, apart by who can make them", () => {
  const guesses = { ...ENTRY, networks: [] };
  const rows: readonly (readonly [StoreShare, ThrottleEntry])[] = [
    ["login", { ...ENTRY, count: 8, shared: true }],
    ["guess-1", { ...guesses, count: 2 }],
    ["guess-3", { ...guesses, count: 3 }],
    ["guess-3", { ...guesses, count: 0, home: 7.9 }],
    ["guess-8", { ...guesses, count: 8 }],
    ["shared-1", { ...guesses, shared: true }],
    ["shared-3", { ...guesses, shared: true, home: 3 }],
    ["shared-8", { ...guesses, shared: true, count: 20 }],
  ];
  for (const [share, entry] of rows) {
    const written: unknown[] = [];
    const entries = throttleEntries({
      read: () => [undefined],
      update: (_keys, change) => void written.push(...change([undefined])),
    });
    entries.update(["user ann"], () => [entry]);
    assertEquals(written, [
      { key: "t:user ann", value: entry, keepMs: 60_000, share },
    ]);
  }
});
