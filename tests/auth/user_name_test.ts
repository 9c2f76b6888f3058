import { countingName, foldUserName } from "../../auth/user_name.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";

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

/** What one back end or another takes for the same, beyond case and NFKC. */
const COUNTED_AS_ONE = [
  ...SAME,
  // A database that compares without accents (issue 11, 8).
  ["\u00e1nn", "ann"],
  ["a\u0301n\u0308n\u20dd", "ANN"],
  ["\u1e9bann", "sann"],
  ["S\u00d8REN", "soren"],
  ["\u0141uka\u015b", "lukas"],
  ["\u01e3", "ae"],
  ["\u30a2\u30f3", "\u3042\u3093"],
  ["\u30ac", "\u304b"],
  // The domain: a dot at its end, A-labels, the full stop of IDNA.
  ["ann@example.com.", "ann@example.com"],
  ["ann@xn--bcher-kva.example", "ann@b\u00fccher.example"],
  ["ann@XN--BCHER-KVA.example.", "ANN@B\u00dcCHER.EXAMPLE"],
  ["ann@xn--bcher-kva.example", "ann@bucher.example"],
  ["ann@xn--fa-hia.de", "ann@fass.de"],
  ["ann@example\u3002com", "ann@example.com"],
  ["ann@example\uff0ecom\uff61", "ann@example.com"],
] as const;

Deno.test("countingName() makes one of all that some back end takes for the same", () => {
  for (const [one, other] of COUNTED_AS_ONE) {
    assertEquals(countingName(one), countingName(other), JSON.stringify(one));
  }
});

Deno.test("countingName() makes one of a name and any accents on it", () => {
  const random = newRandom(8);
  const marks = Array.from(
    { length: 0x70 },
    (_, i) => String.fromCodePoint(0x300 + i),
  );
  for (const name of ["ann", "bob@example.com", "soren@xn--bcher-kva.de"]) {
    const at = name.indexOf("@");
    const local = at < 0 ? name : name.slice(0, at);
    for (let round = 0; round < 500; round++) {
      const spelling = [...local].map((letter) =>
        (random(2) === 0 ? letter : letter.toUpperCase()) +
        (random(2) === 0 ? "" : pick(random, marks))
      ).join("").normalize(random(2) === 0 ? "NFC" : "NFD");
      assertEquals(
        countingName(spelling + name.slice(local.length)),
        countingName(name),
        JSON.stringify(spelling),
      );
    }
  }
});

Deno.test("countingName() keeps different names apart", () => {
  const names = [
    ...["ann", "anna", "an", "a nn", "a.nn", "ann+x@example.com"],
    ...["ann@example.com", "ann@example.org", "ann@xn--bcher-kva.example"],
    ...["ann@xn--p1ai.example", "\u0430nn", "\u732b", "\u3042", ""],
    // No Punycode: as it is.
    ...["ann@xn--!", "ann@xn--99999999"],
  ];
  assertEquals(new Set(names.map(countingName)).size, names.length);
});

Deno.test("countingName() changes nothing the second time, and ends at 320 characters", () => {
  for (const name of [...COUNTED_AS_ONE.flat(), "\ufdfa".repeat(5000)]) {
    const counted = countingName(name);
    assertEquals(countingName(counted), counted, JSON.stringify(name));
    assert(counted.length <= 320 && counted.isWellFormed());
  }
});
