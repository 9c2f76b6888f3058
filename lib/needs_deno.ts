/**
 * What other runtimes cannot do, said in one line.
 *
 * @module
 */

/**
 * Throws where there is no Deno.
 *
 * @param action What was to be done: `serve SMTP`.
 * @param instead What does it elsewhere.
 * @throws {Error} On Node, Bun and their like.
 */
export function needsDeno(action: string, instead: string): void {
  if ("Deno" in globalThis) return;
  throw new Error(`Cannot ${action}: this needs Deno; elsewhere ${instead}`);
}
