/**
 * The commands that the listener knows.
 *
 * @module
 */

import type { Verb } from "../../smtp/protocol/commands.ts";

/** One member for each verb: the compiler counts them. */
const ALL: Readonly<Record<Verb, true>> = {
  AUTH: true,
  DATA: true,
  EHLO: true,
  EXPN: true,
  HELO: true,
  HELP: true,
  MAIL: true,
  NOOP: true,
  QUIT: true,
  RCPT: true,
  RSET: true,
  STARTTLS: true,
  VRFY: true,
};

function isVerb(word: string): word is Verb {
  return Object.hasOwn(ALL, word);
}

/** All verbs. */
export const VERBS: readonly Verb[] = Object.keys(ALL).filter(isVerb);
