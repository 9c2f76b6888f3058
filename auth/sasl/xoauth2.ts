/**
 * The XOAUTH2 mechanism: Google's, never standardised, and what Thunderbird,
 * Outlook, Roundcube and scripts speak.
 *
 * @module
 */

import { hasControls } from "../../lib/text.ts";
import { bearerMechanism, type BearerMessage, CREDENTIALS } from "./bearer.ts";
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
const MESSAGE = new RegExp(
  `^user=([^\\x01]+)\\x01auth=${CREDENTIALS}\\x01\\x01$`,
);

function readMessage(message: string): BearerMessage | undefined {
  const [, username, token] = MESSAGE.exec(message) ?? [];
  return username === undefined || token === undefined || hasControls(username)
    ? undefined
    : { username, token };
}
