import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import { newSharedSecret } from "../../../auth/state/shared_secret.ts";
import type { Store } from "../../../auth/state/store.ts";
import { assertEquals, assertNotEquals } from "../../support/assert.ts";
import { newClock } from "../../support/clock.ts";
import { put } from "../../support/store.ts";

Deno.test("newSharedSecret() is one for all who share a store, of 32 octets", async () => {
  const store = newMemoryStore();
  const [one, two] = [newSharedSecret(store, "x"), newSharedSecret(store, "x")];
  const secret = await one();
  assertEquals(secret.length, 32);
  assertEquals(await two(), secret);
  assertEquals(await one(), secret);
  assertNotEquals(await newSharedSecret(store, "y")(), secret);
  assertNotEquals(await newSharedSecret(newMemoryStore(), "x")(), secret);
});

Deno.test("newSharedSecret() does not take what is none", async () => {
  for (
    const value of [null, 7, "", "AAAA", "no base64", "QUJD".repeat(10) + "="]
  ) {
    const store = newMemoryStore();
    await put(store, "s:x", value);
    const secret = await newSharedSecret(store, "x")();
    assertEquals(secret.length, 32);
    assertEquals(await newSharedSecret(store, "x")(), secret);
  }
});

Deno.test("newSharedSecret() puts the one in use into a store that has begun anew, within a minute", async () => {
  using clock = newClock();
  let memory = newMemoryStore();
  let updates = 0;
  const store: Store = {
    read: (keys) => memory.read(keys),
    update: (keys, change) => {
      updates++;
      return memory.update(keys, change);
    },
  };
  const secretOf = newSharedSecret(store, "x");
  const secret = await secretOf();
  memory = newMemoryStore();
  clock.wind(59_999);
  assertEquals(await secretOf(), secret);
  assertEquals(updates, 1);
  clock.wind(1);
  assertEquals(await secretOf(), secret);
  assertEquals(updates, 2);
  assertEquals(await newSharedSecret(memory, "x")(), secret);
});
