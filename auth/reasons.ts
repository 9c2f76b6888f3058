/**
 * Why an AUTH ended as it did: for the log only, never for the client.
 *
 * @module
 */

import type { AuthDecision, AuthRequest } from "./types.ts";

/** Why a SASL exchange failed before any provider was asked. */
export type SaslErrorReason =
  | "cancelled"
  | "bad-base64"
  | "bad-message"
  | "bad-utf8"
  | "authzid-differs"
  | "line-too-long"
  | "unknown-mechanism"
  | "bad-syntax"
  | "bad-sequence";

/**
 * Why a provider, or what is around it, decided as it did.
 *
 * `backend-busy`: too many calls are under way. `cached`: the decision is a
 * remembered one. `cached-through-outage`: the back end failed, and the same
 * login was accepted before. `throttled-…`: the back end was not asked, because
 * of too many wrong guesses for the user, for the user from this network, or
 * from this network.
 */
export type ProviderReason =
  | "ok"
  | "wrong-credentials"
  | "backend-timeout"
  | "backend-unreachable"
  | "backend-status"
  | "backend-redirect"
  | "backend-answer"
  | "backend-size"
  | "backend-busy"
  | "cached"
  | "cached-through-outage"
  | "throttled-user"
  | "throttled-pair"
  | "throttled-network"
  | "client-gone"
  | "provider-error"
  | "provider-nonsense"
  | "provider-failure";

/** The closed set of reason codes that an AUTH can end with in a log. */
export type AuthReason =
  | SaslErrorReason
  | ProviderReason
  | "tls-required"
  | "interrupted";

// A decision has no room for its cause, and the request is the one thing that
// every wrapper around a provider hands on unchanged.
const reasons = new WeakMap<AuthRequest, ProviderReason>();

/** Notes why the decision on a request came out as it did; the first note stays. */
export function explain(request: AuthRequest, reason: ProviderReason): void {
  if (!reasons.has(request)) reasons.set(request, reason);
}

/** What a decision means where nobody has noted a better reason. */
const DEFAULT_REASONS: Readonly<Record<AuthDecision, ProviderReason>> = {
  authOk: "ok",
  authInvalid: "wrong-credentials",
  authFailure: "provider-failure",
};

/** Why a provider decided as it did. */
export function decisionReason(
  decision: AuthDecision,
  request: AuthRequest,
): ProviderReason {
  return reasonOf(request) ?? DEFAULT_REASONS[decision];
}

/** What was noted for a request, if anything was. */
export function reasonOf(request: AuthRequest): ProviderReason | undefined {
  return reasons.get(request);
}
