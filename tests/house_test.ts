import { assert, assertEquals } from "./support/assert.ts";
import { importsOf, loadedWith, modulesOf } from "./support/modules.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** The rule of the house: which rooms each room may know besides itself. */
const KNOWS: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  auth: ["lib"],
  net: ["lib"],
  smtp: ["auth", "net", "lib"],
  delivery: ["smtp", "net", "lib"],
  adapters: ["auth", "net", "lib"],
  metrics: ["auth", "smtp", "delivery", "lib"],
  command: [
    "adapters",
    "auth",
    "delivery",
    "lib",
    "metrics",
    "net",
    "smtp",
  ],
  testing: ["adapters", "auth", "lib", "net", "smtp"],
};

/** Rooms whose modules import a package or a module of node's. */
const PACKAGES: Readonly<Record<string, readonly RegExp[]>> = {
  lib: [/^@std\/encoding\//],
  auth: [/^@std\/encoding\//],
  net: [/^node:/],
  smtp: [/^@std\/encoding\//],
  delivery: [/^@std\/encoding\//],
  adapters: [/^@std\/encoding\//],
  metrics: [/^prom-client$/, /^deno\.json$/],
  command: [/^@std\/(?:cli|encoding)\//, /^deno\.json$/],
  testing: [],
};

/** Modules that import a package besides, of which others need nothing. */
const BESIDES: Readonly<Record<string, readonly string[]>> = {
  "auth/providers/oauth/keys.ts": ["jose"],
  "command/redis.ts": ["@redis/client"],
};

/** What programs of their own import besides, such as a Worker's. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "auth/providers/users/worker.ts": [
    "node:crypto",
    "node:worker_threads",
    "bcryptjs",
  ],
};

Deno.test("each room knows only the rooms that the rule of the house allows", async () => {
  for (const [room, others] of Object.entries(KNOWS)) {
    const modules = await modulesOf(room);
    assert(modules.length > 0, `${room}/ is where it was`);
    for (const module of modules) {
      for (const specifier of await importsOf(module)) {
        const known = [room, ...others].some((each) =>
          specifier.startsWith(`${each}/`)
        );
        const allowed = PROGRAMS[module]?.includes(specifier) ||
          BESIDES[module]?.includes(specifier) ||
          PACKAGES[room]?.some((each) => each.test(specifier));
        assert(known || allowed, `${module} imports ${specifier}`);
      }
    }
  }
});

Deno.test("the house is no more than three floors deep, and has no index", async () => {
  for (const room of Object.keys(KNOWS)) {
    const modules = await modulesOf(room);
    const deep = modules.filter((module) => module.split("/").length > 4);
    assertEquals(deep, []);
    const unnamed = modules.filter((module) =>
      /\/(?:index\.ts|utils?\b)/.test(module)
    );
    assertEquals(unnamed, []);
  }
});

Deno.test("what is a program of its own is imported by nobody", async () => {
  for (const room of Object.keys(KNOWS)) {
    for (const module of await modulesOf(room)) {
      for (const specifier of await importsOf(module)) {
        assert(!Object.hasOwn(PROGRAMS, specifier), module);
      }
    }
  }
});

/** Modules that import node's, and are loaded when they are needed. */
const LATE: ReadonlySet<string> = new Set([
  "net/deno_tls_engine.ts",
  "net/node_tls_engine.ts",
  "smtp/node_ports.ts",
]);

Deno.test("nothing of node's is loaded before somebody needs it", async () => {
  for (const front of ["mod.ts", "sasl.ts", "oauth.ts", "main.ts"]) {
    const loaded = await loadedWith(front);
    assert(loaded.has("auth/sasl/sasl.ts") || front === "oauth.ts", front);
    const tooEarly = [...loaded].filter((each) =>
      each.startsWith("node:") || LATE.has(each)
    );
    assertEquals(tooEarly, [], front);
  }
});
