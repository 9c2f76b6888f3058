/**
 * What a token must say. Pure: the time and the claims come in.
 *
 * @module
 */

import { asciiDomain } from "../../../lib/domain.ts";
import type { TokenReason } from "../../reasons.ts";
import { isUser, type Untrusted } from "../../results.ts";

/** How far clocks may differ, in seconds. */
const LEEWAY_S = 60;

/** The most characters of what a detail repeats. */
const MAX_TOLD = 200;

/** What is wanted of a token. */
export interface TokenRules {
  readonly issuer: string;
  readonly audience: string;
  /** The claim that names the user. */
  readonly claim: string;
  readonly scope: string | undefined;
}

/** What is known about a token. */
export interface TokenFacts {
  readonly claims: Untrusted;
  /**
   * The issuer itself has told them just now (RFC 7662): it need not repeat who
   * it is, whom the token is for and until when, which it has looked at.
   */
  readonly introspected: boolean;
  /** The client's name for itself; `""` for none. */
  readonly username: string;
  /** Seconds since 1970. */
  readonly now: number;
}

/** A token that lets its user in. */
export interface GoodToken {
  readonly kind: "good";
  readonly user: string;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** One that does not, and why. */
export interface BadToken {
  readonly kind: "bad";
  readonly reason: TokenReason;
  readonly detail?: string;
}

/** Says why a token is not good. */
export function badToken(reason: TokenReason, detail?: string): BadToken {
  return { kind: "bad", reason, ...(detail === undefined ? {} : { detail }) };
}

/** What of a token is not as it should be; `undefined` if all is. */
type Check = (facts: TokenFacts, rules: TokenRules) => string | undefined;

/**
 * In this order. That a token has expired comes last: one that is only that has
 * been good, and whoever sends it guesses at nothing.
 */
const CHECKS: readonly (readonly [TokenReason, Check])[] = [
  ["token-kind", wrongKind],
  ["token-malformed", hasNoEnd],
  ["token-issuer", wrongIssuer],
  ["token-audience", wrongAudience],
  ["token-scope", lacksScope],
  ["token-early", isEarly],
  ["token-claim", namesNobody],
  ["token-user", namesAnother],
  ["token-expired", hasExpired],
];

/** Judges what a token says, once it is known who says so. */
export function judge(
  facts: TokenFacts,
  rules: TokenRules,
): GoodToken | BadToken {
  for (const [reason, check] of CHECKS) {
    const detail = check(facts, rules);
    if (detail !== undefined) return badToken(reason, detail);
  }
  const user = userOf(facts.claims, rules.claim) ?? "";
  const { exp } = facts.claims;
  return typeof exp === "number"
    ? { kind: "good", user, expiresAt: milliseconds(exp) }
    : { kind: "good", user };
}

/** An ID token is for the client; one that is bound to a key is no bearer's. */
function wrongKind({ claims }: TokenFacts): string | undefined {
  if (claims.typ === "ID" || has(claims, "at_hash")) return "an ID token";
  return has(claims, "cnf") ? "cnf" : undefined;
}

function wrongIssuer(
  { claims: { iss }, introspected }: TokenFacts,
  { issuer }: TokenRules,
): string | undefined {
  if (iss === issuer || iss === undefined && introspected) return undefined;
  return told("iss", iss);
}

/**
 * An issuer that tells little has looked whom the token is for (RFC 7662 section
 * 4). One that tells all that stands in it, such as Keycloak, has not: there a
 * token without `aud` is anybody's.
 */
function wrongAudience(
  { claims: { iss, aud }, introspected }: TokenFacts,
  { audience }: TokenRules,
): string | undefined {
  if (aud === undefined && iss === undefined && introspected) return undefined;
  return listOf(aud).includes(audience) ? undefined : told("aud", aud);
}

/** Some issuers have the list of scopes in `scp`, and some as an array. */
function lacksScope(
  { claims: { scope, scp } }: TokenFacts,
  { scope: wanted }: TokenRules,
): string | undefined {
  if (wanted === undefined) return undefined;
  const given = [scope, scp].flatMap(listOf).flatMap((text) => text.split(" "));
  return given.includes(wanted) ? undefined : told("scope", scope ?? scp);
}

function isEarly({ claims: { nbf }, now }: TokenFacts): string | undefined {
  if (nbf === undefined) return undefined;
  return typeof nbf === "number" && nbf <= now + LEEWAY_S
    ? undefined
    : told("nbf", nbf);
}

/** A token for ever is none that an issuer may sign; it may tell of one. */
function hasNoEnd(
  { claims: { exp }, introspected }: TokenFacts,
): string | undefined {
  if (exp === undefined && introspected) return undefined;
  return typeof exp === "number" ? undefined : told("exp", exp);
}

function hasExpired({ claims: { exp }, now }: TokenFacts): string | undefined {
  return typeof exp !== "number" || now < exp + LEEWAY_S
    ? undefined
    : told("exp", exp);
}

function namesNobody(
  { claims }: TokenFacts,
  { claim }: TokenRules,
): string | undefined {
  if (userOf(claims, claim) === undefined) return told(claim, claims[claim]);
  return claim === "email" && has(claims, "email") && isUnverified(claims)
    ? "email_verified"
    : undefined;
}

/** Some issuers write it as a text. */
function isUnverified({ email_verified: verified }: Untrusted): boolean {
  return verified === false || verified === "false";
}

function namesAnother(
  { claims, username }: TokenFacts,
  { claim }: TokenRules,
): string | undefined {
  const user = userOf(claims, claim) ?? "";
  return username === "" || comparable(username) === comparable(user)
    ? undefined
    : claim;
}

/** Domains have no letter case, and more than one spelling. */
function comparable(name: string): string {
  const at = name.lastIndexOf("@") + 1;
  if (at === 0) return name;
  const domain = name.slice(at);
  return name.slice(0, at) + (asciiDomain(domain) ?? domain);
}

/**
 * What a token has that a person has logged in for. Without the claim it lacks
 * something that its issuer could be told to put there: the client must not
 * stand in for all its users.
 */
const OF_PERSONS: readonly string[] = ["email", "auth_time", "sid"];

/** Who a token is for: by the claim, or the service itself if it is nobody's. */
function userOf(claims: Untrusted, claim: string): string | undefined {
  if (has(claims, claim)) return nameIn(claims[claim]);
  if (OF_PERSONS.some((each) => has(claims, each))) return undefined;
  return nameIn(claims.client_id ?? claims.azp);
}

function nameIn(value: unknown): string | undefined {
  return isUser(value) ? value : undefined;
}

function has(claims: Untrusted, name: string): boolean {
  return Object.hasOwn(claims, name) && claims[name] !== null;
}

function listOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((each) => typeof each === "string");
}

/** A time as results have it: in milliseconds, and no larger than any. */
function milliseconds(seconds: number): number {
  return Math.max(0, Math.min(seconds * 1000, Number.MAX_SAFE_INTEGER));
}

/** A claim, for whoever must set the issuer right. */
function told(name: string, value: unknown): string {
  return value === undefined
    ? `no ${name}`
    : `${name} ${JSON.stringify(value)}`.slice(0, MAX_TOLD);
}
