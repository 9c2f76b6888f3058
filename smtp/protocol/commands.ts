/**
 * A line becomes a command: its verb and the text behind it.
 *
 * @module
 */

/** The commands that the listener knows. */
export type Verb =
  | "AUTH"
  | "DATA"
  | "EHLO"
  | "EXPN"
  | "HELO"
  | "HELP"
  | "MAIL"
  | "NOOP"
  | "QUIT"
  | "RCPT"
  | "RSET"
  | "STARTTLS"
  | "VRFY";

/** What a command line says. */
export type Command =
  | { readonly kind: "command"; readonly verb: Verb; readonly args: string }
  /** No command that is known here. */
  | { readonly kind: "unknown" }
  /** A control character that may hide a second line. */
  | { readonly kind: "malformed" }
  /** A web browser or a scanner, not a mail client. */
  | { readonly kind: "http" };

const VERBS: ReadonlyMap<string, Verb> = new Map(
  ([
    "AUTH",
    "DATA",
    "EHLO",
    "EXPN",
    "HELO",
    "HELP",
    "MAIL",
    "NOOP",
    "QUIT",
    "RCPT",
    "RSET",
    "STARTTLS",
    "VRFY",
  ] as const).map((verb) => [verb, verb]),
);

const HTTP_REQUEST = /^[A-Z]{3,20} \S+ HTTP\/[0-9](\.[0-9])?$/;

// Not strict: what is not UTF-8 becomes U+FFFD, which no address may contain
// and no base64, while an EHLO name in some old code page stays harmless.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Turns the octets of a line into text. */
export function lineText(line: Uint8Array): string {
  return decoder.decode(line);
}

/**
 * Reads a command line (RFC 5321 section 4.1.1). The verb may be in any letter
 * case; spaces and tabs at the end do not count.
 */
export function parseCommand(line: Uint8Array): Command {
  const text = trimEnd(lineText(line));
  if (/[\0\r\n]/.test(text)) return { kind: "malformed" };
  const space = text.indexOf(" ");
  const word = space < 0 ? text : text.slice(0, space);
  // Nearly all clients write verbs in upper case.
  const verb = VERBS.get(word) ?? VERBS.get(upperCase(word));
  if (verb !== undefined) {
    const args = space < 0 ? "" : trimStart(text, space);
    return { kind: "command", verb, args };
  }
  return HTTP_REQUEST.test(text) ? { kind: "http" } : { kind: "unknown" };
}

/** Splits arguments at runs of spaces; no empty words. */
export function words(args: string): string[] {
  if (args === "") return [];
  const words = args.split(" ");
  return words.includes("") ? words.filter((word) => word !== "") : words;
}

/** Upper case for ASCII only: toUpperCase() would turn "ſ" into "S". */
export function upperCase(word: string): string {
  return word.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase());
}

// By hand, because / +$/ takes quadratic time on a line full of spaces.
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === " " || text[end - 1] === "\t")) end--;
  return text.slice(0, end);
}

function trimStart(text: string, start: number): string {
  let at = start;
  while (text[at] === " ") at++;
  return text.slice(at);
}
