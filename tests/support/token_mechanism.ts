/**
 * A mechanism of the tests' own, which says why before it refuses.
 *
 * @module
 */

import { readCredentials } from "../../auth/sasl/credentials.ts";
import type { Mechanism } from "../../auth/sasl/mechanism.ts";
import { base64 } from "./octets.ts";

/** What it says before a 535, in base64. */
export const WHY: string = base64('{"status":"invalid_token"}');

/** What it says before a 454 for the user `told`, in base64. */
export const WHY_NOT_NOW: string = base64('{"status":"later"}');

/** `X-TOKEN`: a user name, NUL, a token. */
export const TOKEN: Mechanism = {
  name: "X-TOKEN",
  first: {
    kind: "challenge",
    mechanism: "X-TOKEN",
    progress: "apToken",
    challenge: "",
  },
  respond(_step, response) {
    const nul = response.indexOf(0);
    const user = response.subarray(0, Math.max(0, nul));
    return readCredentials("X-TOKEN", user, response.subarray(nul + 1));
  },
  refusalChallenge({ username }, { decision }) {
    if (decision === "authInvalid") return WHY;
    return username === "told" ? WHY_NOT_NOW : undefined;
  },
};

/** A response of that mechanism. */
export function token(username: string, secret: string): string {
  return base64(`${username}\0${secret}`);
}
