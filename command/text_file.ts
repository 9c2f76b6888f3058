/**
 * Files with text that people have made, on any system.
 *
 * @module
 */

/**
 * The text of a file, without the byte order mark that some editors put in
 * front: TLS takes no PEM that begins with one, and passes over an authority's.
 */
export function readText(path: string): string {
  return new TextDecoder().decode(Deno.readFileSync(path));
}
