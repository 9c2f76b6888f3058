/**
 * How a message begins: with a header, or with its text at once.
 *
 * @module
 */

/** The longest line of a header in octets. RFC 5322 section 2.1.1. */
const MAX_LINE_OCTETS = 998;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const TILDE = 126;

/**
 * Whether a message begins with a header, even an empty one. One that does not
 * needs an empty line in front of it where other lines are put there: its text
 * would become part of them, or be lost, in every mail reader.
 *
 * @param octets The first octets of the message.
 * @returns `undefined` if more of them are needed to tell.
 */
export function beginsWithHeader(octets: Uint8Array): boolean | undefined {
  if (octets.length === 0) return undefined;
  // The empty line that ends a header without fields.
  if (octets[0] === CR) return octets.length > 1 ? octets[1] === LF : undefined;
  const name = skip(octets, 0, isInName);
  if (name === 0) return false;
  // Some programs write white space in front of the colon (section 4.5).
  const end = skip(octets, name, isBlank);
  if (end === MAX_LINE_OCTETS) return false;
  return end === octets.length ? undefined : octets[end] === COLON;
}

/** Where octets of a kind end, or the longest line. */
function skip(
  octets: Uint8Array,
  from: number,
  isOfKind: (octet: number) => boolean,
): number {
  const most = Math.min(octets.length, MAX_LINE_OCTETS);
  let at = from;
  while (at < most && isOfKind(octets[at] ?? 0)) at++;
  return at;
}

/** What the name of a field is made of: RFC 5322 section 2.2. */
function isInName(octet: number): boolean {
  return octet > SPACE && octet <= TILDE && octet !== COLON;
}

function isBlank(octet: number): boolean {
  return octet === SPACE || octet === TAB;
}
