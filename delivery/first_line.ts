/**
 * How a message begins: with a header, or with its text at once.
 *
 * @module
 */

/** The longest line of a header in octets. RFC 5322 section 2.1.1. */
const MAX_LINE_OCTETS = 998;

/**
 * A field's name and colon (RFC 5322 section 2.2), with the white space between
 * them that some programs write (section 4.5); or the empty line that ends a
 * header without fields.
 */
const HEADER = /^(?:[\x21-\x39\x3b-\x7e]+[ \t]*:|\r\n)/;

/** What may become one of them with the next octet. */
const UNDECIDED = /^(?:[\x21-\x39\x3b-\x7e]+[ \t]*|\r?)$/;

const decoder = new TextDecoder("latin1");

/**
 * Whether a message begins with a header, even an empty one. One that does not
 * needs an empty line in front of it where other lines are put there: its text
 * would become part of them, or be lost, in every mail reader.
 *
 * @param octets The first octets of the message.
 * @returns `undefined` if more of them are needed to tell.
 */
export function beginsWithHeader(octets: Uint8Array): boolean | undefined {
  const line = decoder.decode(octets.subarray(0, MAX_LINE_OCTETS));
  if (HEADER.test(line)) return true;
  if (line.length === MAX_LINE_OCTETS) return false;
  return UNDECIDED.test(line) ? undefined : false;
}
