/**
 * What the mechanisms for bearer tokens have in common: one message, and an
 * error that the client may read before it is refused.
 *
 * The token is the password of the credentials. It stands in nothing else that
 * is made here: no challenge and no error holds a word of the message.
 *
 * @module
 */

import { encodeBase64 } from "../../lib/base64.ts";
import { decodeUTF8, ownText } from "../../lib/text.ts";
import type { TokenError } from "../types.ts";
import type { Mechanism } from "./mechanism.ts";
import { SASL_ERRORS } from "./steps.ts";

/** What a message says. */
export interface BearerMessage {
  /** `""` if it leaves that to the token. */
  readonly username: string;
  readonly token: string;
}

/** What is one mechanism's own. */
export interface BearerGrammar {
  /** The mechanism's name in upper case. */
  readonly name: string;
  /** Takes a message apart; `undefined` if it is none. */
  readonly read: (message: string) => BearerMessage | undefined;
  /** Says as JSON why a token is refused. */
  readonly explain: (error: TokenError) => Readonly<Record<string, unknown>>;
}

/** What a provider that gives no reason is taken to mean. */
const INVALID_TOKEN: TokenError = Object.freeze({ status: "invalid_token" });

/** A mechanism out of its message and its error. */
export function bearerMechanism(
  { name, read, explain }: BearerGrammar,
): Mechanism {
  return Object.freeze<Mechanism>({
    name,
    first: Object.freeze({
      kind: "challenge",
      mechanism: name,
      progress: "apToken",
      challenge: "",
    }),
    respond({ progress }, response) {
      if (progress !== "apToken") return SASL_ERRORS.outOfSequence;
      // Octets that are no UTF-8 are no name and no token: bad grammar.
      const message = decodeUTF8(response);
      const said = message === undefined ? undefined : read(message);
      if (said === undefined) return SASL_ERRORS.malformed;
      const { username, token } = said;
      return {
        kind: "credentials",
        mechanism: name,
        // Who keeps the name must not keep the token with it.
        username: ownText(username),
        password: token,
      };
    },
    refusalChallenge(_step, { decision, tokenError = INVALID_TOKEN }) {
      // An error makes clients ask for another token: not in an outage.
      if (decision === "authFailure") return undefined;
      const json = JSON.stringify(explain(tokenError));
      return encodeBase64(new TextEncoder().encode(json));
    },
  });
}

/** A token, as the source of a pattern (RFC 6750 section 2.1). */
const TOKEN = "[A-Za-z0-9._~+/-]+=*";

/**
 * What HTTP would have in `Authorization`, as the source of a pattern whose one
 * group is the token: a scheme in any letter case, spaces, and a token (RFC 7235
 * section 2.1). A token has thousands of characters, so a mechanism's own
 * pattern, with this in it, looks through a message once.
 */
export const CREDENTIALS: string = `[Bb][Ee][Aa][Rr][Ee][Rr] +(${TOKEN})`;

const WHOLE_TOKEN = new RegExp(`^${TOKEN}$`);

/** Whether a text may be a token. */
export function isToken(text: string): boolean {
  return WHOLE_TOKEN.test(text);
}
