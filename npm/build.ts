/**
 * Builds the package for npm, which Node and Bun import.
 *
 *     deno task build:npm [folder]
 *
 * `deno pack` makes JavaScript and declarations of it all; what it lacks is
 * done before and after, on a copy: it leaves the names of the import map and
 * of deno.json as they are, which Node cannot find, and does not see the
 * Worker's program, which nobody imports.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** The program of a Worker, which must stay beside the module that starts it. */
const WORKER = "auth/providers/users/worker.ts";

/** What is published on JSR, and is of no use without Deno. */
const DENO_ONLY: ReadonlySet<string> = new Set(["main.ts", "command/"]);

/** What stands in the package's package.json and not in deno.json. */
const MANIFEST = {
  description:
    "SMTP AUTH for any server: a SASL step decoder, providers, guards around them",
  keywords: ["smtp", "auth", "sasl", "submission", "oauthbearer", "xoauth2"],
  engines: { node: ">=22" },
  sideEffects: false,
} as const;

/**
 * Builds the package.
 *
 * @param folder Where to put it.
 * @returns The path of the package, a `.tgz` that `npm install` takes.
 */
export async function buildPackage(folder: string): Promise<string> {
  const work = await Deno.makeTempDir({ prefix: "smtpauth-npm-" });
  try {
    const source = `${work}/source`;
    await copySource(source);
    await run(Deno.execPath(), source, [
      ...["pack", "--quiet", "--allow-dirty", "--no-source-maps"],
      ...["--output", `${work}/packed.tgz`],
    ]);
    await run("tar", work, ["-xzf", "packed.tgz"]);
    await finish(`${work}/package`);
    const path = `${folder}/meowmail-smtpauth-${config.version}.tgz`;
    await Deno.mkdir(folder, { recursive: true });
    await run("tar", work, ["-czf", await absolute(path), "package"]);
    return path;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** How a module gets at deno.json, which is not in the package. */
const IMPORT_OF_CONFIG =
  /import config from "[./]+\/deno\.json" with { type: "json" };/;

/** Copies what is published, with what deno.json says written out. */
async function copySource(to: string): Promise<void> {
  for (const entry of config.publish.include) {
    if (!DENO_ONLY.has(entry) && entry !== "deno.json") {
      await copy(new URL(entry, ROOT), new URL(entry, `file://${to}/`));
    }
  }
  const { "./main": _, ...entryPoints } = config.exports;
  const { name, version, license, compilerOptions } = config;
  await Deno.writeTextFile(
    `${to}/deno.json`,
    JSON.stringify({
      ...{ name, version, license, compilerOptions },
      exports: { ...entryPoints, "./worker": `./${WORKER}` },
    }),
  );
}

async function copy(from: URL, to: URL): Promise<void> {
  if (!from.pathname.endsWith("/")) {
    await Deno.mkdir(new URL("./", to), { recursive: true });
    if (!from.pathname.endsWith(".ts")) return await Deno.copyFile(from, to);
    const source = await Deno.readTextFile(from);
    return await Deno.writeTextFile(to, writtenOut(source));
  }
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const entry = isDirectory ? `${name}/` : name;
    await copy(new URL(entry, from), new URL(entry, to));
  }
}

function writtenOut(source: string): string {
  const { version } = config;
  let text = source.replace(
    IMPORT_OF_CONFIG,
    `const config = ${JSON.stringify({ version })};`,
  );
  for (const [name, specifier] of Object.entries(config.imports)) {
    text = text.replaceAll(`"${name}"`, `"${specifier}"`);
  }
  return text;
}

/** Makes an npm package of what `deno pack` has made. */
async function finish(folder: string): Promise<void> {
  const path = `${folder}/package.json`;
  const { exports, dependencies, ...manifest } = JSON.parse(
    await Deno.readTextFile(path),
  );
  const { "./worker": _, ...entryPoints } = exports;
  const exact = Object.keys(dependencies).map((name) => [
    name,
    versionOf(name),
  ]);
  const whole = {
    ...manifest,
    ...MANIFEST,
    exports: { ...entryPoints, "./package.json": "./package.json" },
    dependencies: Object.fromEntries(exact),
  };
  await Deno.writeTextFile(path, JSON.stringify(whole, null, 2) + "\n");
  await removeSources(folder);
}

/** The version of a package that the tests have run with. */
function versionOf(name: string): string {
  for (const specifier of Object.values(config.imports)) {
    const [, version] = specifier.split(`npm:${name}@`);
    if (version !== undefined) return version.split("/")[0] ?? version;
  }
  throw new Error(`Cannot build the package: deno.json has no ${name}`);
}

/** Removes TypeScript that nothing in the package comes to. */
async function removeSources(folder: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) await removeSources(path);
    else if (/(?<!\.d)\.ts$|^deno\.lock$/.test(name)) await Deno.remove(path);
  }
}

async function absolute(path: string): Promise<string> {
  const folder = await Deno.realPath(path.replace(/[^/]*$/, ""));
  return `${folder}/${path.split("/").at(-1)}`;
}

async function run(
  program: string,
  cwd: string,
  args: readonly string[],
): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return;
  const words = new TextDecoder().decode(stderr);
  throw new Error(`Cannot build the package: ${program} ${args[0]}: ${words}`);
}

if (import.meta.main) {
  console.log(await buildPackage(Deno.args[0] ?? "npm/dist"));
}
