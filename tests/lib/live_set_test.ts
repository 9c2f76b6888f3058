import { type Listed, LiveSet } from "../../lib/live_set.ts";
import { assertEquals } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";

interface Guest extends Listed {
  readonly name: string;
}

function guest(name: string): Guest {
  return { name, index: -1 };
}

function names(set: LiveSet<Guest>): string {
  return [...set].map(({ name }) => name).sort().join("");
}

Deno.test("LiveSet has what was added and not taken away", () => {
  const set = new LiveSet<Guest>();
  const [a, b, c] = [guest("a"), guest("b"), guest("c")];
  assertEquals([set.size, set.has(a), names(set)], [0, false, ""]);
  set.add(a);
  set.add(b);
  set.add(c);
  assertEquals([set.size, names(set)], [3, "abc"]);

  assertEquals(set.delete(a), true);
  assertEquals([set.has(a), names(set)], [false, "bc"]);
  assertEquals([set.delete(b), set.delete(c)], [true, true]);
  assertEquals([set.size, names(set)], [0, ""]);
});

Deno.test("LiveSet.delete() takes nothing away that is not there", () => {
  const [one, other] = [new LiveSet<Guest>(), new LiveSet<Guest>()];
  const [a, b] = [guest("a"), guest("b")];
  one.add(a);
  other.add(b);
  assertEquals([one.delete(b), one.delete(guest("c"))], [false, false]);
  assertEquals([names(one), names(other)], ["a", "b"]);
  one.delete(a);
  assertEquals([one.delete(a), one.size], [false, 0]);
  other.add(a);
  assertEquals([one.has(a), names(other)], [false, "ab"]);
});

Deno.test("LiveSet shows who is there, not who leaves meanwhile", () => {
  const set = new LiveSet<Guest>();
  const guests = [..."abcd"].map(guest);
  guests.forEach((each) => set.add(each));
  const seen: string[] = [];
  for (const { name } of set) {
    if (seen.length === 0) {
      guests.filter((each) => each.name !== name && each.name !== "d")
        .forEach((each) => set.delete(each));
      set.add(guest("e"));
    }
    seen.push(name);
  }
  assertEquals(seen, ["a", "d"]);
  assertEquals(names(set), "ade");
});

Deno.test("LiveSet is the same as a Set, whoever comes and goes", () => {
  const random = newRandom(5);
  const live = new LiveSet<Guest>();
  const set = new Set<Guest>();
  const guests = Array.from({ length: 40 }, (_, i) => guest(`${i},`));
  for (let step = 0; step < 2_000; step++) {
    const each = pick(random, guests);
    if (set.has(each)) {
      set.delete(each);
      assertEquals(live.delete(each), true);
    } else {
      set.add(each);
      live.add(each);
    }
    assertEquals([...live].every((one) => set.has(one)), true);
    assertEquals(live.size, set.size);
  }
});
