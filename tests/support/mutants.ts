/**
 * A message with one octet too many, too few, or another one.
 *
 * @module
 */

/** All of them: every octet in every place. */
export function* mutants(message: string): Generator<string> {
  for (let at = 0; at <= message.length; at++) {
    const before = message.slice(0, at);
    const after = message.slice(at + 1);
    if (at < message.length) yield before + after;
    for (let octet = 0; octet <= 0xff; octet++) {
      const character = String.fromCharCode(octet);
      yield before + character + message.slice(at);
      if (at < message.length) yield before + character + after;
    }
  }
}

/** The octets of a binary string. */
export function octetsOf(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
