import { newMemoryStore } from "../../../auth/state/memory_store.ts";
import type { Store } from "../../../auth/state/store.ts";
import { newStoreView } from "../../../auth/state/view.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { put } from "../../support/store.ts";

function newNumbers(store: Store) {
  return newStoreView(store, {
    prefix: "n:",
    isValue: (value) => typeof value === "number",
    keepMs: (value) => 1000 * value,
    share: () => "limit",
  });
}

Deno.test("newStoreView() reads values of its own under its own keys, at once or later", async () => {
  const memory = newMemoryStore();
  put(memory, "n:a", 1);
  put(memory, "n:b", "text");
  put(memory, "c", 3);
  const later: Store = {
    read: (keys) => Promise.resolve(memory.read(keys)),
    update: (keys, change) => Promise.resolve(memory.update(keys, change)),
  };
  const expected = [1, undefined, undefined];
  assertEquals(newNumbers(memory).read(["a", "b", "c"]), expected);
  const read = newNumbers(later).read(["a", "b", "c"]);
  assert(read instanceof Promise);
  assertEquals(await read, expected);
});

Deno.test("newStoreView() writes what has changed, with its time and share", async () => {
  const memory = newMemoryStore();
  put(memory, "n:a", 1);
  put(memory, "n:b", 2);
  put(memory, "n:c", null);
  const written: unknown[] = [];
  const numbers = newNumbers({
    read: memory.read,
    update: (keys, change) => {
      assertEquals(keys, ["n:a", "n:b", "n:c", "n:d"]);
      return memory.update(keys, (values) => {
        const writes = change(values);
        written.push(...writes);
        return writes;
      });
    },
  });
  await numbers.update(["a", "b", "c", "d"], (values) => {
    assertEquals(values, [1, 2, undefined, undefined]);
    return [1, undefined, 3, undefined];
  });
  assertEquals(written, [
    { key: "n:b", value: undefined, keepMs: Infinity, share: "guess-1" },
    { key: "n:c", value: 3, keepMs: 3000, share: "limit" },
  ]);
  assertEquals(numbers.read(["a", "b", "c"]), [1, undefined, 3]);
});
