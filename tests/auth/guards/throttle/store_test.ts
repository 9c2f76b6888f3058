import { newMemoryStore } from "../../../../auth/state/memory_store.ts";
import type { Store } from "../../../../auth/state/store.ts";
import { assertEquals } from "../../../support/assert.ts";
import { newClock } from "../../../support/clock.ts";
import { newGuarded, OK, throttled, WRONG } from "../../../support/guarded.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("withThrottle() blocks no login when its store is no good", async () => {
  using clock = newClock();
  const fails: readonly (() => never | Promise<never>)[] = [
    () => {
      throw new Error("down");
    },
    () => Promise.reject(new Error("down")),
  ];
  for (const fail of fails) {
    const store: Store = { read: fail, update: fail };
    const { ask, asked } = newGuarded({ store, now: clock.now });
    assertEquals(await ask("ann", "right"), OK);
    for (let i = 0; i < 30; i++) await ask("bob", `guess ${i}`);
    assertEquals(asked.length, 11, "and still counts");
    assertEquals(await ask("ann", "right"), OK);
  }
});

Deno.test("withThrottle() blocks no login when its store talks nonsense", async () => {
  const nonsense: readonly unknown[] = [
    undefined,
    null,
    "text",
    [],
    [1, 2, 3],
    [null, {}, { count: 1 }],
    new Array(3).fill({ count: 0, at: 0, keepMs: 1, guesses: [], networks: 1 }),
    new Array(3).fill(
      { count: 0, at: 0, keepMs: 1, guesses: [], networks: [null] },
    ),
  ];
  for (const value of nonsense) {
    for (const answer of [value, Promise.resolve(value)]) {
      const store = {
        read: () => answer,
        update: () => answer,
      } as unknown as Store;
      const { ask } = newGuarded({ store });
      const what = Deno.inspect(answer);
      assertEquals(await ask("ann", "right"), OK, what);
      for (let i = 0; i < 10; i++) await ask("bob", `guess ${i}`);
      assertEquals(await ask("bob", "right"), throttled("pair"), what);
      assertEquals(await ask("ann", "right"), OK, what);
    }
  }
});

Deno.test("withThrottle() waits for whatever has a then", async () => {
  const memory = newMemoryStore();
  // As clients of some databases answer.
  const later = <T>(work: () => T) => ({
    then: (resolve: (value: T) => void) => resolve(work()),
  });
  const store = {
    read: (keys: readonly string[]) => later(() => memory.read(keys)),
    update: (...args: Parameters<Store["update"]>) =>
      later(() => memory.update(...args)),
  } as unknown as Store;
  const { ask } = newGuarded({ store });
  for (let i = 0; i < 10; i++) assertEquals(await ask("ann", `${i}`), WRONG);
  assertEquals(await ask("ann", "right"), throttled("pair"));
});

Deno.test("withThrottle() waits 250 ms for a silent store, once in 5 s", async () => {
  using clock = newClock();
  const silent = () => new Promise<never>(() => {});
  const store: Store = { read: silent, update: silent };
  const { ask } = newGuarded({ store, now: clock.now });
  const first = ask("ann", "right");
  assertEquals(clock.timers(), [250]);
  clock.wind(250);
  assertEquals(await first, OK);
  assertEquals(await ask("ann", "right"), OK);
  assertEquals(clock.timers(), []);
});
