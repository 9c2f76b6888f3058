/**
 * The OAUTHBEARER mechanism (RFC 7628).
 *
 * @module
 */

import { hasControls } from "../../lib/text.ts";
import { tokenErrorJson } from "../token_error.ts";
import { bearerMechanism, type BearerMessage, CREDENTIALS } from "./bearer.ts";
import type { Mechanism } from "./mechanism.ts";

/**
 * OAUTHBEARER: a bearer token, and the name to act as if the client has one.
 * Without a name the token alone says who it is.
 *
 * @category A server of your own
 */
export const OAUTHBEARER: Mechanism = bearerMechanism({
  name: "OAUTHBEARER",
  read: readMessage,
  explain: (error) => ({ ...tokenErrorJson(error) }),
});

/**
 * The GS2 header (RFC 5801 section 4) without `p=`, since there is no channel
 * to bind to, and without `F`, which is for other mechanisms.
 */
const HEADER = /^[ny],(?:a=((?:[^\0,=]|=2C|=3D)+))?,$/;

/** The pair that must be there, once. */
const AUTH = new RegExp(`^auth=${CREDENTIALS}$`);

/** Any other: a key and its value (RFC 7628 section 3.1). */
const OTHER = /^(?!auth=)[A-Za-z]+=[\t\r\n\x20-\x7e]*$/;

/** Header, pairs and an empty pair; `host`, `port` and others are not used. */
function readMessage(message: string): BearerMessage | undefined {
  const [header = "", ...pairs] = message.split("\x01");
  // The last separator ends the message, the one before it the last pair.
  if (pairs.pop() !== "" || pairs.pop() !== "") return undefined;
  const [name, escaped = ""] = HEADER.exec(header) ?? [];
  const token = tokenOf(pairs);
  if (name === undefined || token === undefined) return undefined;
  const username = escaped.replaceAll(
    /=2C|=3D/g,
    (escape) => escape === "=2C" ? "," : "=",
  );
  return hasControls(username) ? undefined : { username, token };
}

/** The token, if all pairs are what they should be. */
function tokenOf(pairs: readonly string[]): string | undefined {
  const tokens: string[] = [];
  for (const pair of pairs) {
    const [, token] = AUTH.exec(pair) ?? [];
    if (token !== undefined) tokens.push(token);
    else if (!OTHER.test(pair)) return undefined;
  }
  return tokens.length === 1 ? tokens[0] : undefined;
}
