/**
 * The LOGIN mechanism: never standardised, spoken by Outlook and most devices
 * (draft-murchison-sasl-login).
 *
 * @module
 */

import { SASL_ERRORS, type SaslChallenge, type SaslStep } from "./steps.ts";
import { decodeUTF8, hasControls } from "./credentials.ts";

/** Asks for the user name: `Username:`, spelled as Outlook insists on it. */
export const LOGIN_CHALLENGE: SaslChallenge = Object.freeze({
  kind: "challenge",
  mechanism: "LOGIN",
  progress: "apLoginUser",
  challenge: "VXNlcm5hbWU6",
});

/** Takes the user name and asks for the password: `Password:`. */
export function readLoginUser(response: Uint8Array): SaslStep {
  if (response.length === 0) return SASL_ERRORS.malformed;
  const username = decodeUTF8(response);
  if (username === undefined) return SASL_ERRORS.notUTF8;
  if (hasControls(username)) return SASL_ERRORS.malformed;
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
  if (response.length === 0 || response.includes(0)) {
    return SASL_ERRORS.malformed;
  }
  const password = decodeUTF8(response);
  if (password === undefined) return SASL_ERRORS.notUTF8;
  return { kind: "credentials", mechanism: "LOGIN", username, password };
}
