/**
 * The XOAUTH2 mechanism: Google's, never standardised, and what Thunderbird,
 * Outlook, Roundcube and scripts speak.
 *
 * @module
 */

import { hasControls } from "../../lib/text.ts";
import {
  bearerMechanism,
  type BearerMessage,
  readToken,
  SEPARATOR,
} from "./bearer.ts";
import type { Mechanism } from "./mechanism.ts";

/**
 * XOAUTH2: a user name and a bearer token in one message.
 *
 * @category A server of your own
 */
export const XOAUTH2: Mechanism = bearerMechanism({
  name: "XOAUTH2",
  read: readMessage,
  // Its own form of the error: an HTTP status in place of the code.
  explain: ({ scope }) => ({
    status: "401",
    schemes: "bearer",
    ...(scope === undefined ? {} : { scope }),
  }),
});

/** `user=NAME^Aauth=Bearer TOKEN^A^A`, and nothing else. */
function readMessage(message: string): BearerMessage | undefined {
  const [user = "", auth = "", ...end] = message.split(SEPARATOR);
  if (end.join(SEPARATOR) !== SEPARATOR) return undefined;
  const username = valueOf("user=", user);
  const token = readToken(valueOf("auth=", auth));
  return username === "" || hasControls(username) || token === undefined
    ? undefined
    : { username, token };
}

/** What follows a key; `""` for another key. */
function valueOf(key: string, pair: string): string {
  return pair.startsWith(key) ? pair.slice(key.length) : "";
}
