/**
 * What a SASL mechanism is to the decoder: a value.
 *
 * @module
 */

import type { Refused } from "../types.ts";
import type { SaslChallenge, SaslCredentials, SaslStep } from "./steps.ts";

/**
 * A SASL mechanism: pure functions on plain values. It reads what the client
 * says and never decides.
 *
 * @category A server of your own
 */
export interface Mechanism {
  /** The name in upper case, as EHLO has it (RFC 4422 section 3.1). */
  readonly name: string;
  /** What to say to a client that has sent no initial response. */
  readonly first: SaslChallenge;
  /**
   * Reads a response.
   *
   * @param step The challenge that the client answers; `first` for an initial
   * response.
   * @param response The octets, out of their base64.
   * @returns What comes next. Never throws.
   */
  respond(step: SaslChallenge, response: Uint8Array): SaslStep;
  /**
   * What the server says before it refuses, as token mechanisms want it (RFC
   * 7628 section 3.2.2). Absent: nothing.
   *
   * @param step Who was refused.
   * @param result The refusal, or the failure to tell.
   * @returns A challenge in base64, which the client answers with one line;
   * `undefined` to refuse at once.
   */
  refusalChallenge?(
    step: SaslCredentials,
    result: Refused,
  ): string | undefined;
}

/** The mechanism of a name, in any letter case; `undefined` if it is not there. */
export function findMechanism(
  name: string,
  mechanisms: readonly Mechanism[],
): Mechanism | undefined {
  // Nearly all clients write it in upper case.
  for (const mechanism of mechanisms) {
    if (mechanism.name === name) return mechanism;
  }
  // Not toUpperCase() on everything: it turns the dotless "ı" into an "I".
  if (!MECHANISM_NAME.test(name)) return undefined;
  const upperCase = name.toUpperCase();
  return mechanisms.find((mechanism) => mechanism.name === upperCase);
}

/** How a mechanism may be called (RFC 4422 section 3.1). */
export const MECHANISM_NAME: RegExp = /^[A-Za-z0-9_-]{1,20}$/;
