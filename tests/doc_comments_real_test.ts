// What the documentation of the library needs to be more than a list of names.

import { assertEquals } from "./support/assert.ts";

const ROOT = new URL("../", import.meta.url);

/** What `deno doc --json` says of a module, as far as it matters here. */
interface Documented {
  readonly nodes: Readonly<
    Record<string, {
      readonly symbols: readonly {
        readonly name: string;
        readonly declarations: readonly {
          readonly kind: string;
          readonly jsDoc?: { readonly tags?: readonly { kind: string }[] };
        }[];
      }[];
    }>
  >;
}

/** Kind, name and tags of all that a module exports. */
async function exportsOf(module: string) {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", module],
    cwd: ROOT,
  }).output();
  const documented: Documented = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values(documented.nodes).flatMap(({ symbols }) =>
    symbols.flatMap(({ name, declarations }) =>
      declarations.map(({ kind, jsDoc }) => ({
        kind,
        name,
        tags: new Set(jsDoc?.tags?.map((tag) => tag.kind)),
      }))
    )
  );
}

for (const module of ["mod.ts", "oauth.ts", "testing.ts", "metrics.ts"]) {
  Deno.test(`all that ${module} exports stands under a heading, and each function has an example`, async () => {
    const all = await exportsOf(module);
    const names = (some: typeof all) => some.map(({ name }) => name);
    assertEquals(names(all.filter(({ tags }) => !tags.has("category"))), []);
    const functions = all.filter(({ kind }) => kind === "function");
    assertEquals(functions.length > 0, true);
    assertEquals(
      names(functions.filter(({ tags }) => !tags.has("example"))),
      [],
    );
  });
}
