/**
 * The configurations that the README and docs/ print, to be run as they are but for
 * addresses and paths.
 *
 * @module
 */

import { mustHappen } from "../../testing/deadline.ts";

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

/** A start of the command as a page prints it. */
export interface PrintedStart {
  /** What stands in front of it. */
  readonly env: Readonly<Record<string, string>>;
  /** What stands behind `main.ts`. */
  readonly args: readonly string[];
}

/** Reads a block that starts the command, over however many lines. */
export function printedStart(block: string): PrintedStart {
  const line = block.replaceAll(/\\\n\s*/g, "").trimEnd();
  const [, variables = "", args = ""] =
    /^((?:[A-Z_]+=\S+ )*)deno run -P main\.ts (.*)$/.exec(line) ?? [];
  if (args === "") throw new Error(`This is no start of main.ts: ${block}`);
  const pairs = variables.trimEnd().split(" ").filter((pair) => pair !== "")
    .map((pair) => [
      pair.slice(0, pair.indexOf("=")),
      pair.slice(pair.indexOf("=") + 1),
    ]);
  return { env: Object.fromEntries(pairs), args: args.split(" ") };
}

/**
 * Runs a page's program, which serves HTTP on loopback.
 *
 * @param args As for `deno run`.
 * @returns The port that it says it listens at.
 */
export async function startPrinted(
  args: readonly string[],
  cleanUp: AsyncDisposableStack,
  cwd?: string,
): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-net", ...args],
    ...(cwd === undefined ? {} : { cwd }),
    stderr: "piped",
    stdout: "null",
  }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  cleanUp.defer(async () => {
    child.kill();
    await child.status;
    await reader.cancel();
  });
  for (let text = "";;) {
    const port = /http:\/\/[^/\s]*:([0-9]+)\//.exec(text)?.[1];
    if (port !== undefined) return Number(port);
    const { value, done } = await mustHappen(reader.read(), "it listens");
    if (done) throw new Error(`The program has ended: ${text}`);
    text += value;
  }
}
