/**
 * Reading files again while the program serves.
 *
 * @module
 */

/**
 * Finds out whether reading a file would end. A named pipe, such as a shell
 * makes of `<(…)`, has nothing more to say after the start: whoever reads it
 * again waits for ever, and everybody else with him.
 *
 * @throws {Error} If there is none, or something that is no file.
 */
export function mustBeRegular(path: string): void {
  const { isFile, isDirectory } = Deno.statSync(path);
  if (!isFile && !isDirectory) throw new Error("it is not a regular file");
}
