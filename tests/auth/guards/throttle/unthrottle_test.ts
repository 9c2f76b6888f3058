import {
  unthrottle,
  unthrottleAll,
} from "../../../../auth/guards/throttle/unthrottle.ts";
import { newMemoryStore } from "../../../../auth/state/memory_store.ts";
import { assertEquals } from "../../../support/assert.ts";
import {
  AWAY,
  HOME,
  newGuarded,
  OK,
  throttled,
  WRONG,
} from "../../../support/guarded.ts";
import { newCountingStore } from "../../../support/throttle_store.ts";

Deno.test("unthrottle() forgets the guesses at a user, from everywhere, in any spelling", async () => {
  const store = newCountingStore();
  let now = 1_000_000;
  const { ask } = newGuarded({ store, now: () => now });
  assertEquals(await unthrottle(store, "ann", now), 0);
  now++;
  for (const from of [HOME, AWAY]) {
    for (let i = 0; i < 10; i++) {
      assertEquals(await ask("ann", `${from} ${i}`, from), WRONG);
    }
    assertEquals((await ask("ann", "right", from))[0], "authFailure");
  }
  assertEquals(await ask("ann", "right", "203.0.113.1"), throttled("user"));
  assertEquals(await unthrottle(store, "ANN", now), 20);
  now++;
  for (const from of [HOME, AWAY]) {
    // What was wrong before still costs nothing, and all others count from 0.
    assertEquals(await ask("ann", `${from} 9`, from), WRONG);
    for (let i = 0; i < 10; i++) {
      assertEquals(await ask("ann", `more ${from} ${i}`, from), WRONG);
    }
    assertEquals((await ask("ann", "right", from))[0], "authFailure");
  }
});

Deno.test("unthrottle() leaves trust, networks and other users as they are", async () => {
  const store = newCountingStore();
  let now = 1_000_000;
  const { ask } = newGuarded({ store, now: () => now, networkLimit: 15 });
  assertEquals(await ask("ann", "right", HOME), OK);
  for (let i = 0; i < 10; i++) await ask("bob", `${i}`, AWAY);
  for (let i = 0; i < 5; i++) await ask("ann", `${i}`, AWAY);
  assertEquals(await unthrottle(store, "ann", now++), 5);
  assertEquals(await ask("bob", "right", AWAY), throttled("pair"));
  assertEquals(await ask("carl", "right", AWAY), throttled("network"));
  for (let i = 0; i < 30; i++) await ask("ann", `${i}`, `198.18.${i}.1`);
  assertEquals(await ask("ann", "right", HOME), OK);
});

Deno.test("unthrottle() forgets guesses from unknown addresses too", async () => {
  const store = newCountingStore();
  const { ask } = newGuarded({ store, userLimit: 1 });
  for (let i = 0; i < 11; i++) await ask("ann", `${i}`, "");
  assertEquals(await ask("ann", "right", ""), throttled("user"));
  assertEquals(await unthrottle(store, "ann"), 10);
  assertEquals(await ask("ann", "right", ""), OK);
});

Deno.test("unthrottleAll() forgets all guesses, of users and networks, and no trust", async () => {
  const store = newMemoryStore();
  let now = 1_000_000;
  const { ask } = newGuarded({ store, now: () => now, networkLimit: 15 });
  assertEquals(await ask("ann", "right", HOME), OK);
  for (let i = 0; i < 20; i++) await ask("bob", `${i}`, AWAY);
  for (let i = 0; i < 20; i++) await ask("carl", `${i}`, AWAY);
  assertEquals((await ask("carl", "right", AWAY))[0], "authFailure");
  unthrottleAll(store, now++);
  assertEquals(await ask("bob", "right", AWAY), OK);
  assertEquals(await ask("carl", "right", AWAY), OK);
  for (let i = 0; i < 30; i++) await ask("ann", `${i}`, `198.18.${i}.1`);
  assertEquals(await ask("ann", "right", HOME), OK);
});
