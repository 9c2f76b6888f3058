import * as oauth from "../oauth.ts";
import { assert, assertEquals, assertFalse } from "./support/assert.ts";
import { importsOf } from "./support/modules.ts";

/** All that is loaded with a module; what it imports later is not. */
async function loadedWith(module: string): Promise<Set<string>> {
  const loaded = new Set<string>();
  const visit = async (each: string): Promise<void> => {
    if (loaded.has(each)) return;
    loaded.add(each);
    if (!each.endsWith(".ts")) return;
    await Promise.all((await importsOf(each)).map(visit));
  };
  await visit(module);
  return loaded;
}

Deno.test("oauth.ts exports this value, and no other", () => {
  assertEquals(Object.keys(oauth), ["newOAuthProvider"]);
});

Deno.test("mod.ts and sasl.ts do not load jose, and oauth.ts does", async () => {
  assertFalse((await loadedWith("mod.ts")).has("jose"));
  assertFalse((await loadedWith("sasl.ts")).has("jose"));
  assert((await loadedWith("oauth.ts")).has("jose"));
});
