import { assert, assertEquals } from "./support/assert.ts";

const ROOT = new URL("../", import.meta.url);
const PAGE = Deno.readTextFileSync(new URL("docs/log.md", ROOT));

/** The words of a closed set, as the code has them. */
function wordsOf(path: string, type: string): string[] {
  const source = Deno.readTextFileSync(new URL(path, ROOT));
  const [, body] = new RegExp(`export type ${type} =([^;]*);`)
    .exec(source.replaceAll(/\/\*\*[^]*?\*\//g, "")) ?? [];
  assert(body !== undefined, `${type} is in ${path}`);
  return [...body.matchAll(/"([^"]+)"/g)].map(([, word = ""]) => word);
}

/** The first column of the table under a heading. */
function listed(heading: string): string[] {
  const [, section = ""] = PAGE.split(`\n## ${heading}\n`);
  return section.split("\n## ")[0]?.split("\n").flatMap((line) =>
    /^\| `([^`]+)` /.exec(line)?.slice(1) ?? []
  ) ?? [];
}

Deno.test("docs/log.md lists every reason, and no other", () => {
  const rows = [
    ["Reasons of `auth`", [
      ...wordsOf("auth/reasons.ts", "SaslErrorReason"),
      ...wordsOf("auth/reasons.ts", "TokenReason"),
      ...wordsOf("auth/reasons.ts", "ProviderReason"),
      ...wordsOf("auth/reasons.ts", "AuthReason"),
    ]],
    ["Reasons of `closed`", wordsOf("auth/events.ts", "ClosedReason")],
    [
      "Reasons of `refused`",
      wordsOf("smtp/protocol/refusals.ts", "RefusalReason"),
    ],
    [
      "Reasons of `relay`",
      wordsOf("delivery/relay/failures.ts", "RelayReason"),
    ],
  ] as const;
  for (const [heading, words] of rows) {
    assert(words.length > 5, heading);
    assertEquals(listed(heading).toSorted(), words.toSorted(), heading);
  }
  for (const fault of wordsOf("smtp/protocol/data.ts", "DataFault")) {
    assert(PAGE.includes(`\`${fault}\` (5`), fault);
  }
});

/** The files with the events, and those that no event of a log extends. */
const FILES = [
  "auth/events.ts",
  "smtp/events.ts",
  "delivery/relay/options.ts",
];

/** An interface: whom it extends, its kind, the names of its members. */
interface Shape {
  readonly base: string | undefined;
  readonly kind: string | undefined;
  readonly members: readonly string[];
}

function shapes(): Map<string, Shape> {
  const found = new Map<string, Shape>();
  for (const path of FILES) {
    const source = Deno.readTextFileSync(new URL(path, ROOT))
      .replaceAll(/\/\*\*[^]*?\*\//g, "");
    for (
      const [, name = "", base, body = ""] of source.matchAll(
        /export interface (\w+Event)(?: extends (\w+))? \{([^}]*)\}/g,
      )
    ) {
      const members = [...body.matchAll(/readonly (\w+)\??:/g)]
        .map(([, member = ""]) => member);
      const [, kind] = /readonly kind: "(\w+)"/.exec(body) ?? [];
      found.set(name, { base, kind, members });
    }
  }
  return found;
}

Deno.test("docs/log.md lists every event with all of its fields", () => {
  const all = shapes();
  const membersOf = (name: string | undefined): readonly string[] => {
    const shape = name === undefined ? undefined : all.get(name);
    return shape === undefined
      ? []
      : [...membersOf(shape.base), ...shape.members];
  };
  const expected = new Map<string, Set<string>>([
    ["logDropped", new Set(["lines"])],
    ["fault", new Set(["error", "stack"])],
  ]);
  for (const [name, { kind }] of all) {
    if (kind === undefined) continue;
    const fields = expected.get(kind) ?? new Set();
    // `again` is of a flood, of which there is no line.
    membersOf(name)
      .filter((member) => member !== "kind" && member !== "again")
      .forEach((member) => fields.add(member));
    expected.set(kind, fields);
  }
  const [, section = ""] = PAGE.split("\n## Events\n");
  const rows = (section.split("\n## ")[0] ?? "").split("\n").flatMap((line) => {
    const [, name, , fields = ""] = line.split("|").map((cell) => cell.trim());
    return name?.startsWith("`")
      ? [[
        name.slice(1, -1),
        [...fields.matchAll(/`(\w+)`/g)].map(([, field = ""]) => field).sort(),
      ]]
      : [];
  });
  assertEquals<unknown>(
    Object.fromEntries(rows),
    Object.fromEntries(
      [...expected].map(([kind, fields]) => [kind, [...fields].sort()]),
    ),
  );
});
