/**
 * The LOGIN mechanism: never standardised, spoken by Outlook and most devices
 * (draft-murchison-sasl-login).
 *
 * @module
 */

import { readPassword, readUsername } from "./credentials.ts";
import type { Mechanism } from "./mechanism.ts";
import { SASL_ERRORS, type SaslChallenge, type SaslStep } from "./steps.ts";

/** Asks for the user name: `Username:`, spelled as Outlook insists on it. */
const USERNAME_CHALLENGE: SaslChallenge = Object.freeze({
  kind: "challenge",
  mechanism: "LOGIN",
  progress: "apLoginUser",
  challenge: "VXNlcm5hbWU6",
});

/**
 * LOGIN: the user name, then the password. An initial response is the former.
 *
 * @category A server of your own
 */
export const LOGIN: Mechanism = Object.freeze({
  name: "LOGIN",
  first: USERNAME_CHALLENGE,
  respond({ progress, username }: SaslChallenge, response: Uint8Array) {
    if (progress === "apLoginUser") return readLoginUser(response);
    return progress === "apLoginPass" && username !== undefined
      ? readLoginPassword(username, response)
      : SASL_ERRORS.outOfSequence;
  },
});

/** Takes the user name and asks for the password: `Password:`. */
function readLoginUser(response: Uint8Array): SaslStep {
  const username = readUsername(response);
  if (typeof username !== "string") return username;
  return {
    kind: "challenge",
    mechanism: "LOGIN",
    progress: "apLoginPass",
    challenge: "UGFzc3dvcmQ6",
    username,
  };
}

/** Takes the password; with it the credentials are whole. */
function readLoginPassword(
  username: string,
  response: Uint8Array,
): SaslStep {
  const password = readPassword(response);
  if (typeof password !== "string") return password;
  return { kind: "credentials", mechanism: "LOGIN", username, password };
}
