import { assert, assertEquals, assertMatch } from "../support/assert.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const ROOT = new URL("../../", import.meta.url);
const AUTH = new URL("auth/", ROOT);

/** Type-checks modules with the types that every web platform has, no others. */
async function checkWebOnly(modules: readonly string[]) {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "check",
      "--no-lock",
      "--config",
      "tests/auth/web_only.json",
      ...modules,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return { success, output: new TextDecoder().decode(stderr) };
}

/** The modules of auth/. */
async function authModules(): Promise<string[]> {
  const modules: string[] = [];
  for await (const { name } of Deno.readDir(AUTH)) {
    if (name.endsWith(".ts")) modules.push(`auth/${name}`);
  }
  assert(modules.length >= 10, "auth/ is where it was");
  return modules;
}

Deno.test("auth/ compiles without the types of Deno, Node or Bun", async () => {
  const { success, output } = await checkWebOnly(await authModules());
  assert(success, output);
});

Deno.test("auth/ would not compile without them if it used them", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const probes = [
      ["Deno", "export const folder: string = Deno.cwd();"],
      ["Buffer", "export const octets: unknown = Buffer.from([]);"],
      ["process", "export const env: unknown = process.env;"],
      ["Bun", "export const version: unknown = Bun.version;"],
    ] as const;
    const files = await Promise.all(probes.map(async ([name, source]) => {
      const file = `${folder}/${name}.ts`;
      await Deno.writeTextFile(file, source);
      return file;
    }));
    // Next to a module of auth/, which may bring types along.
    const { success, output } = await checkWebOnly([
      "auth/base64.ts",
      ...files,
    ]);
    assertEquals(success, false);
    for (const [name] of probes) {
      assertMatch(output, new RegExp(`Cannot find name '${name}'`));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("auth/ imports itself and base64, nothing else", async () => {
  for (const module of await authModules()) {
    const source = await Deno.readTextFile(new URL(module, ROOT));
    // Doc comments hold examples that import the package: leave them out.
    const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
    const imports = [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)];
    for (const [, specifier = ""] of imports) {
      const own = /^\.\/[a-z0-9_]+\.ts$/.test(specifier);
      assert(
        own || specifier === "@std/encoding/base64",
        `${module}: ${specifier}`,
      );
    }
  }
});
