/**
 * What AUTH offers: tokens only where somebody is there who checks them.
 *
 * @module
 */

import type { MechanismName } from "../auth/sasl/offer.ts";
import type { Settings } from "./settings.ts";

/** The mechanisms that carry a token in place of a password. */
export const TOKEN_MECHANISMS: readonly MechanismName[] = [
  "XOAUTH2",
  "OAUTHBEARER",
];

/** What is offered where nothing else is said. */
const PASSWORD_MECHANISMS: readonly MechanismName[] = ["PLAIN", "LOGIN"];

/** All that can be offered, in the order in which they are named. */
export const MECHANISM_NAMES: readonly MechanismName[] = [
  ...PASSWORD_MECHANISMS,
  ...TOKEN_MECHANISMS,
];

/** The mechanisms on offer, in their order. */
export function offerOf(settings: Settings): readonly MechanismName[] {
  const { mechanisms, oauthIssuer } = settings;
  if (mechanisms !== undefined) return mechanisms;
  if (oauthIssuer === undefined) return PASSWORD_MECHANISMS;
  // Nobody would know what to make of a password.
  return checksPasswords(settings) ? MECHANISM_NAMES : TOKEN_MECHANISMS;
}

/** Whether somebody is there who knows passwords. */
export function checksPasswords(
  { authUrl, authDovecot, users, user }: Settings,
): boolean {
  return (authUrl ?? authDovecot ?? users ?? user) !== undefined;
}

/** Whether somebody is there who may know what to make of a token. */
export function checksTokens(
  { oauthIssuer, authUrl, authDovecot }: Settings,
): boolean {
  return (oauthIssuer ?? authUrl ?? authDovecot) !== undefined;
}

/** The first of some mechanisms that is on offer, if one is. */
export function offered(
  settings: Settings,
  names: readonly MechanismName[],
): MechanismName | undefined {
  return offerOf(settings).find((name) => names.includes(name));
}

/** Whether a login with a password can come in. */
export function takesPasswords(settings: Settings): boolean {
  return offered(settings, PASSWORD_MECHANISMS) !== undefined;
}
