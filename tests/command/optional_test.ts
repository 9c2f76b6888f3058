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
      /** Whether it is loaded only when the program comes to it. */
      readonly isDynamic?: boolean;
    }[];
  }[];
}

/**
 * The modules that Deno fetches for a module before it runs any, or those that
 * run at its start.
 */
async function modulesOf(
  module: string,
  when: "fetched" | "run",
): Promise<string[]> {
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
    const { dependencies = [] } = modules.get(specifier) ?? {};
    for (const { code, isDynamic } of dependencies) {
      if (code?.specifier === undefined) continue;
      if (when === "fetched" || !isDynamic) visit(code.specifier);
    }
  };
  info.roots.forEach(visit);
  return [...seen];
}

async function packagesOf(module: string): Promise<string[]> {
  const modules = await modulesOf(module, "fetched");
  const names = modules.flatMap((specifier) => {
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

/** What only some settings, or another task of the command, need. */
const NOT_AT_EVERY_START: readonly RegExp[] = [
  /^node:/,
  /^adapters\//,
  /^metrics\//,
  /^auth\/guards\/(?:cache\/|max_concurrent)/,
  /^auth\/providers\/(?:http|oauth\/(?!names)|users\/)/,
  /^auth\/rights\/(?:quota|remember_rights|rights_memory)/,
  /^auth\/state\/(?:kv_store|redis_store|update_queue)/,
  /^command\/(?:backends|check|endpoint|figures|hash_password|help)/,
  /^command\/(?:http_delivery|issuer|next_hop|redis|shared_state|users)/,
  /^delivery\/(?:http\/|relay\/(?!next_hop|options))/,
  /^net\/(?:certificate|http_connections|probe_server|proxy_env)/,
  /^net\/(?:deno_tls_engine|node_tls_engine|tcp_|unix_socket)/,
  /^smtp\/sending_limits/,
];

Deno.test("main.ts runs no module at its start that only some settings need", async () => {
  const modules = await modulesOf("main.ts", "run");
  const paths = modules.map((each) => each.replace(ROOT.href, ""));
  assertEquals(paths.includes("smtp/listener.ts"), true);
  assertEquals(
    paths.filter((path) => NOT_AT_EVERY_START.some((each) => each.test(path))),
    [],
  );
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
