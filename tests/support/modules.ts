/**
 * The source files of the project, and what they import.
 *
 * @module
 */

const ROOT = new URL("../../", import.meta.url);

/** All modules below a folder, as paths from the top of the project. */
export async function modulesOf(folder: string): Promise<string[]> {
  const modules: string[] = [];
  for await (const entry of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) modules.push(...await modulesOf(path));
    else if (entry.name.endsWith(".ts")) modules.push(path);
  }
  return modules.sort();
}

/**
 * What a module imports or exports again: files as paths from the top of the
 * project, everything else as it is written.
 */
export async function importsOf(module: string): Promise<string[]> {
  const url = new URL(module, ROOT);
  const source = await Deno.readTextFile(url);
  // Doc comments hold examples that import the package: leave them out.
  const code = source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  return [...code.matchAll(/^(?:.*\bfrom|import|.*\bimport\()\s*"([^"\n]+)"/gm)]
    .map(
      ([, specifier = ""]) =>
        specifier.startsWith(".")
          ? new URL(specifier, url).href.slice(ROOT.href.length)
          : specifier,
    );
}
