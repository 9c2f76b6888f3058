/**
 * Text that somebody else has written.
 *
 * @module
 */

// ignoreBOM keeps a leading U+FEFF: it may be the first character of a password.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strictDecoder = new TextDecoder("utf-8", {
  fatal: true,
  ignoreBOM: true,
});

/** What a lenient decoder puts in place of what is not UTF-8. */
export const REPLACEMENT = "\ufffd";

/** Decodes UTF-8; `undefined` if the octets are not UTF-8. */
export function decodeUTF8(octets: Uint8Array): string | undefined {
  // A lenient decoder takes half the time, and nearly all text is UTF-8.
  const text = decoder.decode(octets);
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return strictDecoder.decode(octets);
  } catch {
    return undefined;
  }
}

/**
 * Whether a text has C0, DEL or C1 control characters, which would reach logs,
 * headers and line-based protocols.
 */
export function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/**
 * The same text in memory of its own. Engines make a part of a text a view of
 * the whole: what keeps a name for hours would keep all of the line that it
 * stood in, with a password or a token in it, perhaps.
 */
export function ownText(text: string): string {
  // What is put together is written anew before a part of it is taken.
  return ` ${text}`.slice(1);
}
