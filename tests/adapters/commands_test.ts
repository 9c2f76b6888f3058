// The command lines that the pages print are ones that the command takes.

import { readInvocation } from "../../command/settings.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { codeBlocks } from "../support/pages.ts";

/** Environment and arguments of each `deno run -P main.ts` in a block. */
function commandLines(block: string) {
  return block.replaceAll("\\\n", " ").split("\n").flatMap((line) => {
    const [before, after] = line.split("deno run -P main.ts");
    if (after === undefined) return [];
    const words = (text = "") => text.split(" ").filter((word) => word !== "");
    const env = words(before).map((word) => word.split("="));
    return [{
      env: new Map(env.map(([k = "", v = ""]) => [k, v])),
      args: words(after),
    }];
  });
}

for (
  const [page, count] of [
    ["postfix.md", 2],
    ["exim.md", 2],
    ["nginx.md", 1],
    ["dovecot.md", 1],
  ] as const
) {
  Deno.test(`readInvocation() takes the command lines of docs/${page}`, () => {
    const lines = codeBlocks(page, "sh").flatMap(commandLines);
    assertEquals(lines.length, count);
    for (const { env, args } of lines) {
      const invocation = readInvocation(args, (name) => env.get(name));
      assert(invocation.kind === "serve");
      const { auth, adapters } = invocation.settings;
      const { dovecot, saslauthd, nginx } = adapters;
      assert(dovecot ?? saslauthd ?? nginx ?? auth.kind === "dovecot", page);
    }
  });
}
