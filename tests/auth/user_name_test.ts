import { foldUserName } from "../../auth/user_name.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";

/** Spellings that one back end or another takes for the same name. */
const SAME = [
  ["ann", "ann"],
  ["Ann@Example.COM", "ann@example.com"],
  [" ann\t ", "ann"],
  ["\u00a0ann\u3000", "ann"],
  // Full width, ligature, composed and decomposed, superscript: NFKC.
  ["\uff41\uff4e\uff4e", "ann"],
  ["\ufb01ne", "fine"],
  ["zo\u00eb", "zoe\u0308"],
  ["ZOE\u0308", "zo\u00eb"],
  ["ann\u00b2", "ann2"],
  // Case folding beyond one letter for one.
  ["STRASSE", "stra\u00dfe"],
  ["stra\u1e9ee", "STRASSE"],
  ["\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c2"],
  ["\u03c3\u03b1\u03c3", "\u03c3\u03b1\u03c2"],
  ["\u0130x", "i\u0307x"],
  ["\u01c4a", "d\u017ea"],
  // Invisible: soft hyphen, zero width space and joiner, BOM, variation.
  ["a\u00adn\u200bn\u200d\ufeff\ufe0f", "ann"],
] as const;

Deno.test("foldUserName() makes one of all spellings of a name", () => {
  for (const [one, other] of SAME) {
    assertEquals(foldUserName(one), foldUserName(other), JSON.stringify(one));
  }
});

Deno.test("foldUserName() keeps different names apart", () => {
  const names = [
    "ann",
    "anna",
    "an",
    "a nn",
    "ann@example.com",
    "ann@example.org",
    "ann+x@example.com",
    "\u00e4nn",
    "\u0430nn", // Cyrillic: alike, not the same
    "\u732b",
    "",
  ];
  assertEquals(new Set(names.map(foldUserName)).size, names.length);
});

Deno.test("foldUserName() changes nothing the second time", () => {
  for (const name of SAME.flat()) {
    const folded = foldUserName(name);
    assertEquals(foldUserName(folded), folded, JSON.stringify(name));
  }
});

Deno.test("foldUserName() looks at 320 characters, whatever they become", () => {
  const most = "a".repeat(320);
  assertEquals(foldUserName(`${most}b`), most);
  assertNotEquals(foldUserName(`${"a".repeat(319)}b`), most);
  // One character that NFKC makes eighteen of.
  assertEquals(foldUserName("\ufdfa".repeat(5000)).length <= 320, true);
  // Cut in the middle of a character: still well-formed.
  const cut = foldUserName(`x${"\u{1f431}".repeat(5000)}`);
  assert(cut.isWellFormed());
});
