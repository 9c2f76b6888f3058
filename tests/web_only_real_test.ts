import { assert, assertEquals, assertMatch } from "./support/assert.ts";
import { importsOf, modulesOf } from "./support/modules.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const ROOT = new URL("../", import.meta.url);

/** Type-checks modules with the types that every web platform has, no others. */
async function checkWebOnly(modules: readonly string[]) {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--no-lock", "--config", "tests/web_only.json", ...modules],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return { success, output: new TextDecoder().decode(stderr) };
}

/**
 * The program of a Worker, which hashes with what Deno, Node and Bun have. It is
 * no module of anybody's: nothing is loaded with it before it is needed.
 */
const WORKER = "auth/providers/users/worker.ts";

/** The modules that must run on every web platform. */
async function webModules(): Promise<string[]> {
  const lib = await modulesOf("lib");
  const auth = await modulesOf("auth");
  assert(lib.length >= 5, "lib/ is where it was");
  assert(auth.length >= 20, "auth/ is where it was");
  assert(auth.includes(WORKER), "the Worker's program is where it was");
  return [...lib, ...auth].filter((module) => module !== WORKER);
}

Deno.test("lib/ and auth/ compile without the types of Deno, Node or Bun", async () => {
  const { success, output } = await checkWebOnly(await webModules());
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
      "auth/sasl/sasl.ts",
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

Deno.test("lib/ and auth/ import themselves, @std/encoding and jose, nothing else", async () => {
  for (const module of await webModules()) {
    for (const specifier of await importsOf(module)) {
      assert(
        specifier.startsWith("lib/") || specifier.startsWith("auth/") ||
          specifier.startsWith("@std/encoding/") || specifier === "jose",
        `${module}: ${specifier}`,
      );
    }
  }
});

Deno.test("lib/ and auth/ name one module of Node's: the one that starts the Worker", async () => {
  const named: string[] = [];
  for (const module of await webModules()) {
    const source = await Deno.readTextFile(new URL(module, ROOT));
    const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
    for (const [name] of code.matchAll(/["'`]node:[^"'`]*/g)) {
      named.push(`${module} ${name}`);
    }
  }
  assertEquals(named, [
    'auth/providers/users/workers.ts "node:worker_threads',
  ]);
});
