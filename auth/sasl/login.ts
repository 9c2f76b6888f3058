/**
 * The LOGIN mechanism: never standardised, spoken by Outlook and most devices
 * (draft-murchison-sasl-login).
 *
 * @module
 */

import type { SaslChallenge, SaslStep } from "./steps.ts";
import { readPassword, readUsername } from "./credentials.ts";

/** Asks for the user name: `Username:`, spelled as Outlook insists on it. */
export const LOGIN_CHALLENGE: SaslChallenge = Object.freeze({
  kind: "challenge",
  mechanism: "LOGIN",
  progress: "apLoginUser",
  challenge: "VXNlcm5hbWU6",
});

/** Takes the user name and asks for the password: `Password:`. */
export function readLoginUser(response: Uint8Array): SaslStep {
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
export function readLoginPassword(
  username: string,
  response: Uint8Array,
): SaslStep {
  const password = readPassword(response);
  if (typeof password !== "string") return password;
  return { kind: "credentials", mechanism: "LOGIN", username, password };
}
