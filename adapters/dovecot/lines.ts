/**
 * The letters of the Dovecot authentication protocol: octets to lines, lines
 * to fields, and the escapes inside a field.
 *
 * @module
 */

/**
 * The longest line in octets, without its LF: Dovecot's
 * AUTH_CLIENT_MAX_LINE_LENGTH. A SASL response has at most 12,288.
 */
export const MAX_LINE_OCTETS = 16_384;

/** How much of a longer line is kept: its command and its id. */
const KEPT_OCTETS = 64;

const LF = 10;

/** One line, or what is known of one that was too long. */
export interface Line {
  /** The line without its LF; the beginning of one that was too long. */
  readonly text: string;
  /** Whether the line was too long, so that most of it is lost. */
  readonly tooLong: boolean;
}

/** Takes octets as they come and gives the lines that they complete. */
export type LineReader = (octets: Uint8Array) => Line[];

/** Makes a reader that never holds more than one line's octets. */
export function newLineReader(limit: number = MAX_LINE_OCTETS): LineReader {
  const decoder = new TextDecoder();
  let held = new Uint8Array(256);
  let length = 0;
  let tooLong = false;

  function hold(octets: Uint8Array): void {
    if (tooLong) return;
    if (length + octets.length > limit) {
      tooLong = true;
      octets = octets.subarray(0, Math.max(0, KEPT_OCTETS - length));
    }
    const needed = length + octets.length;
    if (needed > held.length) {
      const larger = new Uint8Array(Math.max(needed, held.length * 2));
      larger.set(held);
      held = larger;
    }
    held.set(octets, length);
    length = tooLong ? Math.min(needed, KEPT_OCTETS) : needed;
  }

  return (octets) => {
    const lines: Line[] = [];
    for (let start = 0; start < octets.length;) {
      const end = octets.indexOf(LF, start);
      hold(octets.subarray(start, end < 0 ? octets.length : end));
      if (end < 0) break;
      lines.push({ text: decoder.decode(held.subarray(0, length)), tooLong });
      length = 0;
      tooLong = false;
      start = end + 1;
    }
    return lines;
  };
}

/** What stands for a character that would end a field or a line. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\0", "0"],
  ["\x01", "1"],
  ["\t", "t"],
  ["\r", "r"],
  ["\n", "n"],
]);

const UNESCAPES: ReadonlyMap<string, string> = new Map(
  [...ESCAPES].map(([character, letter]) => [letter, character]),
);

/** Makes a text fit to stand in a field. */
export function escapeField(text: string): string {
  return text.replaceAll(
    // deno-lint-ignore no-control-regex -- they are what is escaped
    /[\0\x01\t\r\n]/g,
    (character) => `\x01${ESCAPES.get(character)}`,
  );
}

/** The text that a field stands for; an unknown escape is the letter itself. */
export function unescapeField(field: string): string {
  return field.replaceAll(
    // deno-lint-ignore no-control-regex -- the escape character
    /\x01([^]?)/g,
    (_, letter: string) => UNESCAPES.get(letter) ?? letter,
  );
}

/** One line out of fields, each escaped. */
export function formatLine(...fields: readonly string[]): string {
  return `${fields.map(escapeField).join("\t")}\n`;
}

/** The id of a request: a 32-bit number that is not 0. */
export function readId(field: string | undefined): number | undefined {
  if (field === undefined || !/^[1-9][0-9]{0,9}$/.test(field)) return undefined;
  const id = Number(field);
  return id <= 0xffff_ffff ? id : undefined;
}

/** Reads `name=value` and `name` fields; the first of a name counts. */
export function readFields(
  fields: readonly string[],
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const field of fields) {
    const at = field.indexOf("=");
    const name = at < 0 ? field : field.slice(0, at);
    if (values.has(name)) continue;
    values.set(name, at < 0 ? "" : unescapeField(field.slice(at + 1)));
  }
  return values;
}
