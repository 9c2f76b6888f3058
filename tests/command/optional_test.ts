import config from "../../deno.json" with { type: "json" };
import {
  OAUTH_ISSUER,
  OAUTH_PROVIDER,
  PROMETHEUS,
  REDIS,
} from "../../command/optional.ts";
import { assertEquals } from "../support/assert.ts";

const ROOT = new URL("../../", import.meta.url);

/** What `deno info --json` says of a module, as far as it matters here. */
interface Info {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      /** Absent where only a type is wanted. */
      readonly code?: { readonly specifier?: string };
    }[];
  }[];
}

/** The packages that Deno fetches for a module before it runs any. */
async function packagesOf(module: string): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", module],
    cwd: ROOT,
  }).output();
  const info: Info = JSON.parse(new TextDecoder().decode(stdout));
  const modules = new Map(info.modules.map((each) => [each.specifier, each]));
  const seen = new Set<string>();
  const visit = (specifier: string): void => {
    if (seen.has(specifier)) return;
    seen.add(specifier);
    for (const { code } of modules.get(specifier)?.dependencies ?? []) {
      if (code?.specifier !== undefined) visit(code.specifier);
    }
  };
  info.roots.forEach(visit);
  const names = [...seen].flatMap((specifier) => {
    const [, name] = /^npm:\/?((?:@\w+\/)?[\w-]+)@/.exec(specifier) ?? [];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)].sort();
}

const ALWAYS = ["deno-std"];
const AT_TIMES = ["@redis/client", "bcryptjs", "jose", "prom-client"];

Deno.test("main.ts fetches no package that only some settings need", async () => {
  assertEquals(await packagesOf("main.ts"), ALWAYS);
});

Deno.test("deno task cache fetches all that any setting needs", async () => {
  const { cache, compile } = config.tasks;
  const modules = cache.replace(/^deno cache /, "").split(" ");
  for (const path of [OAUTH_ISSUER, OAUTH_PROVIDER, PROMETHEUS, REDIS]) {
    const { href } = new URL(path, new URL("command/", ROOT));
    const module = href.slice(ROOT.href.length);
    assertEquals(modules.includes(module), true, module);
  }
  for (const module of modules.slice(1)) {
    assertEquals(compile.includes(` --include ${module} `), true, module);
  }
  const packages = await Promise.all(modules.map(packagesOf));
  assertEquals(
    [...new Set(packages.flat())].sort(),
    [...ALWAYS, ...AT_TIMES].sort(),
  );
});
