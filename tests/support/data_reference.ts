/**
 * What must come of the octets behind DATA, by the rules as they are written and
 * not as they are run.
 *
 * @module
 */

/** What came of some input. */
export interface DataReading {
  /** The message so far, without the dots that were doubled. */
  readonly body: string;
  /** How many octets of the input were looked at. */
  readonly used: number;
  readonly ended: boolean;
  /** How many octets the message has, as the client has sent them. */
  readonly octets: number;
}

/**
 * What must come of it: the end is the first CRLF.CRLF in CRLF and the input,
 * and nothing else; each CRLF. before it loses its dot (RFC 5321 section 4.5.2).
 * A CR or LF alone is a bare one. The octets behind which the next one decides
 * are not the message's yet.
 */
export function dataReference(
  input: string,
): DataReading & { readonly hasBare: boolean } {
  const end = `\r\n${input}`.indexOf("\r\n.\r\n");
  const message = end < 0 ? `\r\n${input}` : `\r\n${input}`.slice(0, end + 2);
  const known = end < 0 ? message.replace(/\r\n\.\r$/, "\r\n") : message;
  const body = known.replaceAll("\r\n.", "\r\n").slice(2);
  return {
    body,
    used: end < 0 ? input.length : end + 3,
    ended: end >= 0,
    octets: body.length,
    hasBare: /\r(?!\n|$)|(?<!\r)\n/.test(message),
  };
}
