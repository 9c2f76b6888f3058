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
  const code = await codeOf(module);
  return [...code.matchAll(/^(?:.*\bfrom|import|.*\bimport\()\s*"([^"\n]+)"/gm)]
    .map(([, specifier = ""]) => placeOf(specifier, module));
}

/**
 * All that is loaded with a module before it runs, itself too: not what it
 * knows only as types, nor what it loads when it needs it.
 */
export async function loadedWith(module: string): Promise<Set<string>> {
  const loaded = new Set<string>();
  const visit = async (each: string): Promise<void> => {
    if (loaded.has(each)) return;
    loaded.add(each);
    if (!each.endsWith(".ts")) return;
    const code = await codeOf(each);
    const imports = code.matchAll(
      /^(?:import|export)\s(?!type\s)[^;"]*?\bfrom\s*"([^"\n]+)"/gm,
    );
    for (const [, specifier = ""] of imports) {
      await visit(placeOf(specifier, each));
    }
  };
  await visit(module);
  return loaded;
}

/** A module without comments: those hold examples that import the package. */
async function codeOf(module: string): Promise<string> {
  const source = await Deno.readTextFile(new URL(module, ROOT));
  return source.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
}

/** A file as path from the top of the project, anything else as it is. */
function placeOf(specifier: string, importer: string): string {
  return specifier.startsWith(".")
    ? new URL(specifier, new URL(importer, ROOT)).href.slice(ROOT.href.length)
    : specifier;
}
