import { type Listed, Roster } from "../../lib/live_set.ts";
import { assertEquals } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";

interface Guest extends Listed {
  readonly name: string;
}

function guest(name: string): Guest {
  return { name, place: -1 };
}

function names(roster: Roster<Guest>): string {
  return [...roster].map(({ name }) => name).sort().join("");
}

Deno.test("Roster has what was added and not taken away", () => {
  const roster = new Roster<Guest>();
  const [a, b, c] = [guest("a"), guest("b"), guest("c")];
  assertEquals([roster.size, roster.has(a), names(roster)], [0, false, ""]);
  roster.add(a);
  roster.add(b);
  roster.add(c);
  assertEquals([roster.size, names(roster)], [3, "abc"]);

  assertEquals(roster.delete(a), true);
  assertEquals([roster.has(a), names(roster)], [false, "bc"]);
  assertEquals([roster.delete(b), roster.delete(c)], [true, true]);
  assertEquals([roster.size, names(roster)], [0, ""]);
});

Deno.test("Roster.delete() takes nothing away that is not there", () => {
  const [one, other] = [new Roster<Guest>(), new Roster<Guest>()];
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

Deno.test("Roster shows who is there, not who leaves meanwhile", () => {
  const roster = new Roster<Guest>();
  const guests = [..."abcd"].map(guest);
  guests.forEach((each) => roster.add(each));
  const seen: string[] = [];
  for (const { name } of roster) {
    if (seen.length === 0) {
      guests.filter((each) => each.name !== name && each.name !== "d")
        .forEach((each) => roster.delete(each));
      roster.add(guest("e"));
    }
    seen.push(name);
  }
  assertEquals(seen, ["a", "d"]);
  assertEquals(names(roster), "ade");
});

Deno.test("Roster is the same as a Set, whoever comes and goes", () => {
  const random = newRandom(5);
  const roster = new Roster<Guest>();
  const set = new Set<Guest>();
  const guests = Array.from({ length: 40 }, (_, i) => guest(`${i},`));
  for (let step = 0; step < 2_000; step++) {
    const each = pick(random, guests);
    if (set.has(each)) {
      set.delete(each);
      assertEquals(roster.delete(each), true);
    } else {
      set.add(each);
      roster.add(each);
    }
    assertEquals([...roster].every((one) => set.has(one)), true);
    assertEquals(roster.size, set.size);
  }
});
