/**
 * Which mechanisms there are, and which of them are on offer.
 *
 * @module
 */

import type { Rule } from "../../lib/options.ts";
import { LOGIN } from "./login.ts";
import { findMechanism, type Mechanism, MECHANISM_NAME } from "./mechanism.ts";
import { OAUTHBEARER } from "./oauthbearer.ts";
import { PLAIN } from "./plain.ts";
import { XOAUTH2 } from "./xoauth2.ts";

/**
 * The name of a mechanism that is known here.
 *
 * @category A server of your own
 */
export type MechanismName = "PLAIN" | "LOGIN" | "XOAUTH2" | "OAUTHBEARER";

/** All that are known, in the order of an offer. */
export const KNOWN_MECHANISMS: readonly Mechanism[] = Object.freeze([
  PLAIN,
  LOGIN,
  XOAUTH2,
  OAUTHBEARER,
]);

/**
 * What is on offer where nothing else is said: tokens only where somebody has
 * said that they are checked.
 */
export const DEFAULT_OFFER: readonly Mechanism[] = Object.freeze([
  PLAIN,
  LOGIN,
]);

/**
 * Mechanisms as they stand in options: their names, or values.
 *
 * @category A server of your own
 */
export type MechanismOffer = readonly (MechanismName | Mechanism)[];

/** The mechanisms of an option that keeps the rule. */
export function readOffer(
  offer: MechanismOffer = DEFAULT_OFFER,
): readonly Mechanism[] {
  return offer.flatMap((each) => mechanismOf(each) ?? []);
}

/** The mechanism on offer that a client names, in any letter case. */
export function findOffered(
  name: string,
  offer: MechanismOffer,
): Mechanism | undefined {
  // Servers that ask at every line have values at hand.
  return findMechanism(name, offer.every(isValue) ? offer : readOffer(offer));
}

function isValue(each: MechanismName | Mechanism): each is Mechanism {
  return typeof each !== "string";
}

/** Which mechanisms are on offer, as an option. */
export const offeredMechanisms: Rule = {
  is:
    "a list of PLAIN, LOGIN, XOAUTH2, OAUTHBEARER or mechanisms of your own, each once",
  test(value) {
    if (!Array.isArray(value) || value.length === 0) return false;
    const names = value.map((each) => mechanismOf(each)?.name);
    return !names.includes(undefined) && new Set(names).size === names.length;
  },
};

function mechanismOf(value: unknown): Mechanism | undefined {
  if (typeof value === "string") return findMechanism(value, KNOWN_MECHANISMS);
  return isMechanism(value) ? value : undefined;
}

function isMechanism(value: unknown): value is Mechanism {
  return typeof value === "object" && value !== null &&
    "name" in value && typeof value.name === "string" &&
    MECHANISM_NAME.test(value.name) &&
    value.name === value.name.toUpperCase() &&
    "first" in value && typeof value.first === "object" &&
    "respond" in value && typeof value.respond === "function";
}
