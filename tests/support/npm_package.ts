/**
 * The package for npm, built and installed into a fresh project.
 *
 * @module
 */

import { buildPackage } from "../../npm/build.ts";
import { assert } from "./assert.ts";
import { temporaryFolder } from "./listener.ts";

const ROOT = new URL("../../", import.meta.url);

/** What runs the package. Argon2 is in WebCrypto since Node 24.7. */
export const RUNTIMES = [
  { name: "Node 22", program: "node@22.23.3", hasArgon2: false },
  { name: "Node 24", program: "node@24.9.0", hasArgon2: true },
  { name: "Bun", program: "bun@1.4.5", hasArgon2: false },
] as const;

/** Runs a program in a folder; fails unless it ends well. */
export async function run(
  cwd: string,
  program: string,
  ...args: readonly string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const errors = new TextDecoder().decode(stderr);
  assert(success, `${program} ${args.join(" ")}: ${text}${errors}`);
  return text;
}

/**
 * Makes a project and installs the package.
 *
 * @param files What of this project is copied to the same place there.
 * @param packages Other packages that are installed besides.
 * @returns Its folder.
 */
export async function installed(
  cleanUp: AsyncDisposableStack | DisposableStack,
  files: readonly string[],
  packages: readonly string[] = [],
): Promise<string> {
  const folder = temporaryFolder(cleanUp);
  const path = await buildPackage(folder);
  const project = `${folder}/project`;
  await Deno.mkdir(project);
  await Deno.writeTextFile(
    `${project}/package.json`,
    JSON.stringify({ private: true, type: "module" }),
  );
  await run(
    project,
    "npm",
    "install",
    "--no-audit",
    "--no-fund",
    path,
    ...packages,
  );
  for (const file of files) {
    const to = new URL(file, `file://${project}/`);
    await Deno.mkdir(new URL("./", to), { recursive: true });
    await Deno.copyFile(new URL(file, ROOT), to);
  }
  return project;
}
