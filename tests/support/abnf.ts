/**
 * Grammars written down as their RFCs have them: slow, and plain to see.
 *
 * A rule tells where it may end when it begins at an octet; a text is a binary
 * string, a character an octet.
 *
 * @module
 */

/** All the places where a rule that begins at `at` may end. */
export type Rule = (text: string, at: number) => readonly number[];

/** One octet out of a range. */
export function range(first: number, last: number = first): Rule {
  return (text, at) => {
    const octet = text.charCodeAt(at);
    return octet >= first && octet <= last ? [at + 1] : [];
  };
}

/** A text in its one spelling. */
export function exactly(word: string): Rule {
  return (text, at) => text.startsWith(word, at) ? [at + word.length] : [];
}

/** A text in any letter case, as ABNF has it. */
export function anyCase(word: string): Rule {
  return (text, at) =>
    text.slice(at, at + word.length).toLowerCase() === word.toLowerCase()
      ? [at + word.length]
      : [];
}

/** One after another. */
export function sequence(...rules: readonly Rule[]): Rule {
  return (text, at) =>
    rules.reduce<readonly number[]>((ends, rule) => next(rule, text, ends), [
      at,
    ]);
}

/** Where a rule may end that begins at any of some places, each place once. */
function next(
  rule: Rule,
  text: string,
  starts: readonly number[],
): readonly number[] {
  const [start] = starts;
  // Nearly always there is one, or none.
  if (start === undefined) return starts;
  if (starts.length === 1) return rule(text, start);
  return [...new Set(starts.flatMap((at) => rule(text, at)))];
}

/** Any of them. */
export function either(...rules: readonly Rule[]): Rule {
  return (text, at) => rules.flatMap((rule) => rule(text, at));
}

/** So often, or more often. */
export function atLeast(count: number, rule: Rule): Rule {
  return (text, at) => {
    const found = new Set<number>(count === 0 ? [at] : []);
    let ends: readonly number[] = [at];
    for (let times = 1; ends.length > 0; times++) {
      ends = next(rule, text, ends).filter((end) => !found.has(end));
      if (times >= count) ends.forEach((end) => found.add(end));
    }
    return [...found];
  };
}

/** Once or not at all. */
export function optional(rule: Rule): Rule {
  return (text, at) => [at, ...rule(text, at)];
}

/** Whether a text is what a rule says, whole. */
export function matches(rule: Rule, text: string): boolean {
  return rule(text, 0).includes(text.length);
}

const ALPHA = either(range(0x41, 0x5a), range(0x61, 0x7a));
const TAIL = range(0x80, 0xbf);

/** Letters of ASCII, and its digits. */
export const LETTER: Rule = ALPHA;
export const DIGIT: Rule = range(0x30, 0x39);

/** Two, three and four octets of UTF-8 (RFC 3629 section 4). */
export const NOT_ASCII: Rule = either(
  sequence(range(0xc2, 0xdf), TAIL),
  sequence(range(0xe0), range(0xa0, 0xbf), TAIL),
  sequence(range(0xe1, 0xec), TAIL, TAIL),
  sequence(range(0xed), range(0x80, 0x9f), TAIL),
  sequence(range(0xee, 0xef), TAIL, TAIL),
  sequence(range(0xf0), range(0x90, 0xbf), TAIL, TAIL),
  sequence(range(0xf1, 0xf3), TAIL, TAIL, TAIL),
  sequence(range(0xf4), range(0x80, 0x8f), TAIL, TAIL),
);

/** UTF-8 without the control characters C0, DEL and C1. */
export const PRINTABLE_NOT_ASCII: Rule = (text, at) =>
  text[at] === "\xc2" && /^[\x80-\x9f]$/.test(text[at + 1] ?? "")
    ? []
    : NOT_ASCII(text, at);

/** A bearer token (RFC 6750 section 2.1). */
const TOKEN = sequence(
  atLeast(1, either(ALPHA, DIGIT, ...[..."-._~+/"].map(exactly))),
  atLeast(0, exactly("=")),
);

/** What stands in `Authorization` (RFC 6750 section 2.1, RFC 7235 section 2.1). */
export const BEARER: Rule = sequence(
  anyCase("Bearer"),
  atLeast(1, exactly(" ")),
  TOKEN,
);
