/**
 * What a SASL mechanism is to the decoder: a value.
 *
 * @module
 */

import type { Rule } from "../../lib/options.ts";
import type { Refused } from "../types.ts";
import type { SaslChallenge, SaslCredentials, SaslStep } from "./steps.ts";

/**
 * A SASL mechanism: pure functions on plain values. It reads what the client
 * says and never decides.
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
  if (!NAME.test(name)) return undefined;
  const upperCase = name.toUpperCase();
  return mechanisms.find((mechanism) => mechanism.name === upperCase);
}

const NAME = /^[A-Za-z0-9_-]{1,20}$/;

/** Which mechanisms are on offer, as an option. */
export const offeredMechanisms: Rule = {
  is: "a list of mechanisms such as PLAIN and LOGIN, each once",
  test: (value) =>
    Array.isArray(value) && value.length > 0 && value.every(isMechanism) &&
    new Set(value.map(({ name }) => name)).size === value.length,
};

function isMechanism(value: unknown): value is Mechanism {
  return typeof value === "object" && value !== null &&
    "name" in value && typeof value.name === "string" &&
    NAME.test(value.name) && value.name === value.name.toUpperCase() &&
    "first" in value && typeof value.first === "object" &&
    "respond" in value && typeof value.respond === "function";
}
