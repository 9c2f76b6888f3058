// Made-up names, many of them: they push out each other (issue 11, 13).

import { newMemoryStore } from "../../../../auth/state/memory_store.ts";
import { withThrottle } from "../../../../auth/guards/throttle/throttle.ts";
import { assertEquals } from "../../../support/assert.ts";
import { outcomeOf } from "../../../support/asked_provider.ts";
import {
  AWAY,
  type Guarded,
  HOME,
  networkAt,
  newGuarded,
  OK,
  throttled,
  users,
  WRONG,
} from "../../../support/guarded.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const WEBMAIL = "127.0.0.1";

/** A throttle whose store holds little, so that it does not take long to fill. */
function newSmall(maxEntries = 600): Guarded {
  return newGuarded({
    store: newMemoryStore({ maxEntries }),
    sharedNetworks: ["127.0.0.0/8"],
  });
}

/** Guesses so often for each of so many users. */
async function flood(
  { ask }: Guarded,
  names: number,
  guesses: number,
  from: (i: number) => string,
): Promise<void> {
  for (let i = 0; i < names; i++) {
    for (let guess = 0; guess < guesses; guess++) {
      await ask(`eve ${i}`, `guess ${guess}`, from(i));
    }
  }
}

Deno.test("withThrottle() forgets neither trust nor counts for made-up names, by a shared network or by many", async () => {
  const rows = [
    [() => WEBMAIL, 1],
    [() => WEBMAIL, 2],
    [() => "", 1],
    [(i: number) => networkAt(i), 1],
    [(i: number) => networkAt(i, true), 1],
  ] as const;
  for (const [from, guesses] of rows) {
    const small = newSmall();
    const { ask } = small;
    for (let i = 0; i < 100; i++) {
      assertEquals(await ask(`ann ${i}`, "right", HOME), OK);
    }
    for (let i = 0; i < 10; i++) await ask("bob", `guess ${i}`, AWAY);
    for (let i = 0; i < 20; i++) await ask("carl", `guess ${i}`, WEBMAIL);
    for (let i = 0; i < 19; i++) await ask("ben", `guess ${i}`, WEBMAIL);
    for (let i = 0; i < 5; i++) await ask("abe", `guess ${i}`, AWAY);
    await flood(small, 1000, guesses, from);
    const what = `${from} ${guesses}`;
    // Counts, of whoever has come some way.
    assertEquals(await ask("bob", "right", AWAY), throttled("pair"), what);
    assertEquals(await ask("carl", "right", HOME), throttled("user"), what);
    assertEquals(await ask("ben", "guess 19", WEBMAIL), WRONG, what);
    assertEquals(await ask("ben", "right", WEBMAIL), throttled("user"), what);
    for (let i = 5; i < 10; i++) await ask("abe", `guess ${i}`, AWAY);
    assertEquals(await ask("abe", "right", AWAY), throttled("pair"), what);
    // Trust, of everybody: those who came first would be the first to lose it.
    for (let i = 0; i < 100; i += 5) {
      const name = `ann ${i}`;
      // Twenty count; of so many users one may have two guesses with the same
      // 20 bits, which count as one.
      for (let guess = 0; guess < 23; guess++) {
        await ask(name, `guess ${guess}`, networkAt(5000 + guess));
      }
      assertEquals(await ask(name, "right", "203.0.113.1"), throttled("user"));
      assertEquals(await ask(name, "right", HOME), OK, `${what} ${name}`);
    }
  }
});

Deno.test("withThrottle() counts what comes through networks that have a count apart from what does not", async () => {
  const small = newSmall();
  for (let i = 0; i < 9; i++) await small.ask("bob", `guess ${i}`, AWAY);
  // As far as can be: all names to the last level, through the webmail.
  await flood(small, 400, 12, () => WEBMAIL);
  assertEquals(await small.ask("bob", "guess 9", AWAY), WRONG);
  assertEquals(await small.ask("bob", "right", AWAY), throttled("pair"));
});

Deno.test("withThrottle() lets an account of many spellings push nobody out", async () => {
  const store = newMemoryStore({ maxEntries: 600 });
  const guarded = withThrottle(users, { delayMs: 0, store });
  const login = async (username: string, remoteIp: string) =>
    await outcomeOf(guarded, { username, password: "right", remoteIp });
  for (let i = 0; i < 100; i++) await login(`ann ${i}`, HOME);
  for (let i = 0; i < 2048; i++) {
    const spelled = [..."bobbybobbyb"].map((letter, bit) =>
      i >> bit & 1 ? letter.toUpperCase() : letter
    );
    await login(spelled.join(""), networkAt(i));
  }
  for (let i = 0; i < 20; i++) {
    const guess = { username: "ann 0", password: `guess ${i}` };
    await outcomeOf(guarded, { ...guess, remoteIp: networkAt(i) });
  }
  assertEquals(await login("ann 0", AWAY), throttled("user"));
  assertEquals(await login("ann 0", HOME), OK);
});
