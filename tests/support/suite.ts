/**
 * Loads the tests of one room of the house into one process: Deno begins a new
 * runtime for each file that it is given, which takes longer than most files'
 * tests do.
 *
 * @module
 */

const TESTS = new URL("../", import.meta.url);

/** Whether a file has tests that need no other program and no process. */
export function isUnitTest(name: string): boolean {
  return name.endsWith("_test.ts") && !name.endsWith("_real_test.ts");
}

/**
 * Loads all tests of a folder and of the folders in it.
 *
 * @param room The folder's name in `tests/`; `""` for the files right there.
 */
export async function load(room: string): Promise<void> {
  const files = room === "" ? filesIn(TESTS, false) : filesIn(
    new URL(`${room}/`, TESTS),
    true,
  );
  for (const file of files.filter(isUnitTest)) await import(file);
}

/** The addresses of all files in a folder, in their order. */
export function filesIn(folder: URL, deep: boolean): string[] {
  return [...Deno.readDirSync(folder)]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      if (!isDirectory) return [new URL(name, folder).href];
      return deep ? filesIn(new URL(`${name}/`, folder), true) : [];
    });
}
