/**
 * Why an AUTH ended as it did: for the log only, never for the client.
 *
 * @module
 */

import type { AuthDecision, AuthResult } from "./types.ts";

/**
 * Why a token is not good.
 *
 * `token-malformed`: it is none that can be read. `token-key`: signed with a key
 * that the issuer does not publish. `token-signature`: the signature, or how it
 * was made. `token-kind`: good for something else, such as an ID token.
 * `token-early`: not good yet. `token-claim`: it names nobody. `token-user`: it
 * names another user than the client does. `token-inactive`: the issuer says so.
 *
 * @category Words
 */
export type TokenReason =
  | "token-malformed"
  | "token-key"
  | "token-signature"
  | "token-kind"
  | "token-issuer"
  | "token-audience"
  | "token-scope"
  | "token-early"
  | "token-expired"
  | "token-claim"
  | "token-user"
  | "token-inactive";

/**
 * Why a SASL exchange failed before any provider was asked.
 *
 * @category Words
 */
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
 * `backend-token`: the endpoint says that our own token is wrong, so that it is
 * no user's fault. `no-provider`: no provider is there for the mechanism.
 * `backend-busy`: too many calls are under way. `cached`: the decision is a
 * remembered one. `cached-through-outage`: the back end failed, and the same
 * login was accepted before. `interrupted`: the listener stopped, or did not wait
 * any longer. `throttled-…`: the back end was not asked, because
 * of too many wrong guesses for the user, for the user from this network, or
 * from this network.
 *
 * @category Words
 */
export type ProviderReason =
  | TokenReason
  | "ok"
  | "wrong-credentials"
  | "backend-timeout"
  | "backend-unreachable"
  | "backend-status"
  | "backend-redirect"
  | "backend-token"
  | "backend-answer"
  | "backend-size"
  | "backend-busy"
  | "cached"
  | "cached-through-outage"
  | "throttled-user"
  | "throttled-pair"
  | "throttled-network"
  | "client-gone"
  | "interrupted"
  | "provider-error"
  | "provider-nonsense"
  | "provider-failure"
  | "no-provider";

/** Whether the throttle has decided, and no back end. */
export function isThrottled(reason: AuthReason): boolean {
  return reason.startsWith("throttled-");
}

/**
 * The closed set of reason codes that an AUTH can end with in a log.
 * `bad-token`: whoever asks an adapter does not know the secret.
 *
 * @category Words
 */
export type AuthReason =
  | SaslErrorReason
  | ProviderReason
  | "bad-token"
  | "tls-required";

/** All of them, so that the compiler wants a new one here too. */
const PROVIDER_REASONS: Readonly<Record<ProviderReason, true>> = {
  "ok": true,
  "token-malformed": true,
  "token-key": true,
  "token-signature": true,
  "token-kind": true,
  "token-issuer": true,
  "token-audience": true,
  "token-scope": true,
  "token-early": true,
  "token-expired": true,
  "token-claim": true,
  "token-user": true,
  "token-inactive": true,
  "wrong-credentials": true,
  "backend-timeout": true,
  "backend-unreachable": true,
  "backend-status": true,
  "backend-redirect": true,
  "backend-token": true,
  "backend-answer": true,
  "backend-size": true,
  "backend-busy": true,
  "cached": true,
  "cached-through-outage": true,
  "throttled-user": true,
  "throttled-pair": true,
  "throttled-network": true,
  "client-gone": true,
  "interrupted": true,
  "provider-error": true,
  "provider-nonsense": true,
  "provider-failure": true,
  "no-provider": true,
};

/** Whether something is a reason that a result may give. */
export function isProviderReason(value: unknown): value is ProviderReason {
  return typeof value === "string" && Object.hasOwn(PROVIDER_REASONS, value);
}

/** What a decision means where its result gives no better reason. */
const DEFAULT_REASONS: Readonly<Record<AuthDecision, ProviderReason>> = {
  authOk: "ok",
  authInvalid: "wrong-credentials",
  authFailure: "provider-failure",
};

/** Why a result is what it is. */
export function reasonOf({ decision, reason }: AuthResult): ProviderReason {
  return reason ?? DEFAULT_REASONS[decision];
}

/**
 * Whether a result is a no to somebody who may be guessing. A token that has
 * only expired was a good one: mail programs try it before they get a new one.
 */
export function isGuess({ decision, reason }: AuthResult): boolean {
  return decision === "authInvalid" && reason !== "token-expired";
}

/** The result for a client that has gone. */
export const CLIENT_GONE: AuthResult = Object.freeze({
  decision: "authFailure",
  reason: "client-gone",
});

/** The result for a provider that has not answered in time. */
export const LATE: AuthResult = Object.freeze({
  decision: "authFailure",
  reason: "backend-timeout",
});

/** The result for one that we did not wait for. */
export const INTERRUPTED: AuthResult = Object.freeze({
  decision: "authFailure",
  reason: "interrupted",
});
