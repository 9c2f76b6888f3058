import { Lru } from "../../lib/lru.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newRandom } from "../support/random.ts";

Deno.test("Lru forgets what has not been used for longest", () => {
  const lru = new Lru<number>({ maxEntries: 2 });
  lru.set("a", 1);
  lru.set("b", 2);
  assertEquals(lru.get("a"), 1);
  lru.set("c", 3);
  assertEquals([lru.get("a"), lru.get("b"), lru.get("c")], [1, undefined, 3]);
  lru.set("a", 4);
  lru.set("d", 5);
  assertEquals([lru.get("a"), lru.get("c"), lru.get("d")], [4, undefined, 5]);
  assertEquals(lru.size, 2);
});

Deno.test("Lru bounds the weight, and keeps nothing heavier than all of it", () => {
  const evicted: [string, string][] = [];
  const lru = new Lru<string>({
    maxEntries: 100,
    maxWeight: 10,
    weigh: (key, value) => key.length + value.length,
    onEvict: (key, value) => evicted.push([key, value]),
  });
  lru.set("a", "1234");
  lru.set("b", "1234");
  assertEquals(lru.weight, 10);
  lru.set("b", "1");
  assertEquals(lru.weight, 7);
  lru.set("b", "12345");
  assertEquals(evicted, [["a", "1234"]]);
  assertEquals(lru.weight, 6);
  lru.set("c", "1234567890");
  assertEquals(evicted, [["a", "1234"], ["b", "12345"], ["c", "1234567890"]]);
  assertEquals([lru.size, lru.weight], [0, 0]);
});

Deno.test("Lru tells of evictions, not of deletions and replacements", () => {
  let evicted = 0;
  const lru = new Lru<number>({ maxEntries: 2, onEvict: () => evicted++ });
  lru.set("a", 1);
  lru.set("a", 2);
  lru.delete("a");
  lru.delete("a");
  assertEquals([evicted, lru.size], [0, 0]);
});

/** The same in a few lines, and slow. */
function newReference(
  maxEntries: number,
  maxWeight: number,
  shares: readonly number[],
): Pick<Lru<number>, "get" | "set" | "delete" | "keys" | "size" | "weight"> {
  const list: [string, number][] = [];
  const ofKind = (kind: number) =>
    list.filter(([, value]) => value % shares.length === kind);
  const weigh = (some: readonly [string, number][]) =>
    some.reduce((sum, [, value]) => sum + value, 0);
  const take = (key: string) => {
    const at = list.findIndex(([held]) => held === key);
    return at < 0 ? undefined : list.splice(at, 1)[0];
  };
  const evict = (measure: (some: readonly [string, number][]) => number) => {
    const full = shares.map((parts, kind) => measure(ofKind(kind)) / parts);
    const [oldest] = ofKind(full.indexOf(Math.max(...full)));
    if (oldest !== undefined) take(oldest[0]);
  };
  return {
    get: (key) => {
      const found = take(key);
      if (found !== undefined) list.push(found);
      return found?.[1];
    },
    set: (key, value) => {
      take(key);
      list.push([key, value]);
      while (list.length > maxEntries) evict(({ length }) => length);
      while (weigh(list) > maxWeight) evict(weigh);
    },
    delete: (key) => void take(key),
    keys: () => list.map(([key]) => key),
    get size() {
      return list.length;
    },
    get weight() {
      return weigh(list);
    },
  };
}

Deno.test("Lru does what a plain list would, over random uses", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = newRandom(seed);
    const maxEntries = 1 + random(8);
    const maxWeight = 1 + random(30);
    const shares = [[1], [1, 2], [1, 3, 2]][random(3)] ?? [1];
    const lru = new Lru<number>({
      maxEntries,
      maxWeight,
      weigh: (_key, value) => value,
      shares,
      kindOf: (value) => value % shares.length,
    });
    const reference = newReference(maxEntries, maxWeight, shares);
    for (let step = 0; step < 500; step++) {
      const key = `k${random(12)}`;
      const value = random(12);
      switch (random(4)) {
        case 0:
          lru.delete(key);
          reference.delete(key);
          break;
        case 1:
          assertEquals(lru.get(key), reference.get(key), `seed ${seed}`);
          break;
        default:
          lru.set(key, value);
          reference.set(key, value);
      }
      assertEquals(
        [lru.size, lru.weight, [...lru.keys()].sort()],
        [reference.size, reference.weight, [...reference.keys()].sort()],
        `seed ${seed}`,
      );
      assert(lru.size <= maxEntries && lru.weight <= maxWeight);
    }
  }
});
