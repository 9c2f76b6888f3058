/**
 * The configurations that the README and docs/ print, to be run as they are but for
 * addresses and paths.
 *
 * @module
 */

/** The blocks of a page, such as `docs/exim.md`, in one language, in order. */
export function codeBlocks(page: string, language: string): string[] {
  const url = new URL(`../../${page}`, import.meta.url);
  const fences = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms");
  return [...Deno.readTextFileSync(url).matchAll(fences)]
    .map(([, block = ""]) => block);
}

/** Puts the test's addresses and paths in place; each must be there. */
export function placed(
  block: string | undefined,
  places: Readonly<Record<string, string>>,
): string {
  let text = block ?? "";
  for (const [printed, own] of Object.entries(places)) {
    if (!text.includes(printed)) {
      throw new Error(`The page does not say ${printed}: ${text}`);
    }
    text = text.replaceAll(printed, own);
  }
  return text;
}
