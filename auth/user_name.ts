/**
 * Which user names mean the same user.
 *
 * @module
 */

import { decodePunycode } from "../lib/punycode.ts";
import { ownText } from "../lib/text.ts";

/**
 * The most UTF-16 units of a name that are looked at. RFC 5321 section 4.5.3.1
 * gives an address 64 + 1 + 255 octets; what is longer is no user, and must
 * not fill a memory or outgrow the key of a database.
 */
export const MAX_NAME_UNITS = 320;

/**
 * Letters that Unicode does not take apart, and that databases which ignore
 * accents take for others all the same.
 */
const BASE_LETTERS: ReadonlyMap<string, string> = new Map([
  ["\u00e6", "ae"],
  ["\u0153", "oe"],
  ["\u00f8", "o"],
  ["\u00f0", "d"],
  ["\u0111", "d"],
  ["\u0127", "h"],
  ["\u0131", "i"],
  ["\u0142", "l"],
  ["\u0167", "t"],
]);

/**
 * A user name in the one form that all its spellings share: NFKC, case-folded,
 * without invisible characters (Unicode's NFKC_Casefold) and white space
 * around it.
 *
 * Back ends differ in what they take for the same name. One that takes more
 * spellings than a count knows would give a guesser a fresh start with each.
 */
export function foldUserName(username: string): string {
  const name = username.length > MAX_NAME_UNITS
    ? username.slice(0, MAX_NAME_UNITS)
    : username;
  if (isPlain(name)) return name.toLowerCase();
  // toUpperCase() makes one of ß and SS, and of σ and ς; it leaves ẞ as it is.
  return name.normalize("NFKC").toLowerCase().toUpperCase().toLowerCase()
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, "")
    .normalize("NFKC").trim()
    .slice(0, MAX_NAME_UNITS).toWellFormed();
}

/**
 * A user name in a form that names share which *some* back end may take for
 * the same: besides what {@linkcode foldUserName} does, without accents, as
 * many databases compare, katakana as hiragana, and the domain without a dot
 * at its end and in Unicode (RFC 3492), not as an A-label.
 *
 * Different users may share one: it is good for counting, and not for letting
 * anybody in.
 */
export function countingName(username: string): string {
  // Accents first: one of them, U+0345, is a letter in upper case.
  const bare = isPlain(username)
    ? username
    : withoutMarks(username.slice(0, MAX_NAME_UNITS));
  const name = foldUserName(bare);
  if (isPlain(name) && !/xn--|\.$/.test(name)) return name;
  const at = name.lastIndexOf("@") + 1;
  if (at === 0) return withBaseLetters(name);
  const labels = name.slice(at).split(/[.\u3002]/).map(inUnicode);
  const domain = labels.join(".").replace(/\.+$/, "");
  return withBaseLetters(name.slice(0, at) + domain);
}

/** Nearly all names; the whole way costs ten times as much. */
function isPlain(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

/** A label of a domain, which may be an A-label. */
function inUnicode(label: string): string {
  if (!label.startsWith("xn--")) return label;
  const decoded = decodePunycode(label.slice(4));
  return decoded === undefined ? label : foldUserName(withoutMarks(decoded));
}

/**
 * A user name as typed, no longer than a name can be, to be kept: for what is
 * one user's alone.
 */
export function exactName(username: string): string {
  return ownText(
    username.length > MAX_NAME_UNITS
      ? username.slice(0, MAX_NAME_UNITS).toWellFormed()
      : username,
  );
}

function withoutMarks(name: string): string {
  return name.normalize("NFKD").replaceAll(/[\p{M}\p{Cf}]/gu, "");
}

function withBaseLetters(name: string): string {
  return withoutMarks(name)
    .replaceAll(
      /[\u00e6\u00f0\u00f8-\u0167]/g,
      (letter) => BASE_LETTERS.get(letter) ?? letter,
    )
    // U+30A1 to U+30F6 are the katakana of U+3041 to U+3096.
    .replaceAll(
      /[\u30a1-\u30f6]/g,
      (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60),
    )
    .trim().slice(0, MAX_NAME_UNITS).toWellFormed();
}
