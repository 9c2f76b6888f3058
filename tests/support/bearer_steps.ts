/**
 * Walking through exchanges with a token.
 *
 * @module
 */

import { continueSasl, startSasl } from "../../auth/sasl/sasl.ts";
import { SASL_ERRORS, type SaslStep } from "../../auth/sasl/steps.ts";
import { matches, type Rule } from "./abnf.ts";
import { assert, assertEquals } from "./assert.ts";
import { mutants, octetsOf } from "./mutants.ts";
import { base64 } from "./octets.ts";
import { challengeOf } from "./sasl_steps.ts";

/** What a mechanism makes of a message; both ways to send it must agree. */
export function tokenStep(
  mechanism: string,
  message: string | readonly number[],
): SaslStep {
  const response = base64(message);
  const first = challengeOf(startSasl(mechanism));
  assertEquals([first.challenge, first.progress], ["", "apToken"]);
  const later = continueSasl(first, response);
  const atOnce = startSasl(mechanism, response === "" ? "=" : response);
  assertEquals(atOnce, later, "initial response and continuation agree");
  return later;
}

/** Fails unless a step is credentials with this token. */
export function assertToken(
  step: SaslStep,
  mechanism: string,
  username: string,
  token: string,
): void {
  assertEquals<SaslStep>(step, {
    kind: "credentials",
    mechanism,
    username,
    password: token,
  });
}

/** A token of so many octets, with everything that one may have in it. */
export function longToken(octets: number): string {
  return "eyJhbGciOiJFUzI1NiJ9.-_~+/".repeat(Math.ceil(octets / 26))
    .slice(0, octets);
}

/**
 * Fails unless a mechanism takes exactly what a grammar does of messages in
 * which every octet stands in every place once.
 */
export function assertAgrees(
  mechanism: string,
  grammar: Rule,
  seeds: readonly string[],
): void {
  const seen = { accepted: 0, refused: 0 };
  for (const message of seeds.flatMap((seed) => [...mutants(seed)])) {
    const step = startSasl(mechanism, base64(octetsOf(message)));
    const isMessage = matches(grammar, message);
    seen[isMessage ? "accepted" : "refused"]++;
    const agrees = isMessage
      ? step.kind === "credentials" &&
        message.includes(` ${step.password}\x01`)
      : step === SASL_ERRORS.malformed;
    assert(agrees, agrees ? "" : JSON.stringify([message, step]));
  }
  assert(seen.accepted > 1000 && seen.refused > 10_000, JSON.stringify(seen));
}
