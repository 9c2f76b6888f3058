/**
 * Somebody else's text in a log: whatever it holds, it can't pass for
 * something that the log says itself.
 *
 * @module
 */

/** How much of a name is logged, in characters: no mailbox is longer. */
const MAX_NAME = 256;

/** How much of any other text is logged, in characters. */
const MAX_TEXT = 1024;

/** What a name may have and stand there as it is: no space, no bracket. */
const PLAIN_NAME = /^[A-Za-z0-9._@+=-]+$/;

/** What a sentence may have: it stands behind everything that is looked for. */
const PLAIN_TEXT = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * What is not seen, or changes how others are seen: controls, formats, private
 * and unassigned ones, every kind of space but the usual one, and what may be
 * left out.
 */
const UNSEEN = /(?! )[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/gu;

/** A user's name or a mailbox, in a line for people: one word, or in quotes. */
export function shownName(name: string): string {
  const short = cutName(name);
  return PLAIN_NAME.test(short) ? short : visibleJson(short);
}

/** What a few words may have and stand between brackets as they are. */
const PLAIN_WORDS = /^[A-Za-z0-9._@+=-]+(?: [A-Za-z0-9._@+=-]+)*$/;

/** A few words, in a line for people: as they are, or in quotes. */
export function shownWords(words: string): string {
  const short = cutText(words);
  return PLAIN_WORDS.test(short) ? short : visibleJson(short);
}

/** Any other text, in a line for people: plain ASCII as it is, else in quotes. */
export function shownText(text: string): string {
  const short = cutText(text);
  return PLAIN_TEXT.test(short) ? short : visibleJson(short);
}

/** A name as far as it is logged. */
export function cutName(name: string): string {
  return cut(name, MAX_NAME);
}

/** Any other text as far as it is logged. */
export function cutText(text: string): string {
  return cut(text, MAX_TEXT);
}

/** A value as JSON, in characters that are all seen. */
export function visibleJson(value: unknown): string {
  const json = JSON.stringify(value);
  // Most is plain ASCII, and that is soon seen.
  return /[^\x20-\x7e]/.test(json) ? json.replaceAll(UNSEEN, escaped) : json;
}

/** Shortens a text, and says that it is shortened. */
function cut(text: string, most: number): string {
  // No more than two units are one character.
  if (text.length <= most) return text;
  const characters = [...text.slice(0, 2 * most + 2)];
  return characters.length > most
    ? `${characters.slice(0, most).join("")}…`
    : text;
}

/** As JSON writes what it does not show: by UTF-16 units. */
function escaped(character: string): string {
  return Array.from(
    { length: character.length },
    (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`,
  ).join("");
}
