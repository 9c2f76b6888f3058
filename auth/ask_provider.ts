/**
 * The guard around a provider.
 *
 * @module
 */

import { explain, type ProviderReason } from "./reasons.ts";
import { AuthDecision, type AuthProvider, type AuthRequest } from "./types.ts";

/**
 * Asks a provider and always gets a decision: one that throws, rejects or
 * returns nonsense counts as `authFailure`, and so does an aborted signal, even
 * if the provider does not listen to it.
 *
 * @param provider Whom to ask.
 * @param request What to ask.
 * @param signal Aborted when nobody waits for the answer any more; it is
 * handed to the provider too.
 * @returns The decision. Never rejects.
 *
 * @example A broken provider is not a wrong password
 * ```ts
 * import { askProvider } from "@meowmail/smtpauth";
 *
 * const broken = () => {
 *   throw new Error("the database is down");
 * };
 * const decision = await askProvider(broken, {
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authFailure");
 * ```
 */
export async function askProvider(
  provider: AuthProvider,
  request: AuthRequest,
  signal?: AbortSignal,
): Promise<AuthDecision> {
  return await askNow(provider, request, signal);
}

/**
 * Providers that keep the guard's promises themselves: they always decide, and
 * at once when the signal aborts. A guard around each of several wrappers would
 * cost as much as they do.
 */
const guarded = new WeakSet<AuthProvider>();

/** Notes that a provider needs no guard; returns it. */
export function asGuarded(provider: AuthProvider): AuthProvider {
  guarded.add(provider);
  return provider;
}

/** Whether a provider needs no guard. */
export function isGuarded(provider: AuthProvider): boolean {
  return guarded.has(provider);
}

/**
 * The same for a caller who is quicker with a decision that is there at once,
 * as that of most local providers is: nothing to wait for, nothing to watch.
 */
export function askNow(
  provider: AuthProvider,
  request: AuthRequest,
  signal?: AbortSignal,
): AuthDecision | Promise<AuthDecision> {
  if (signal?.aborted) return gone(request);
  if (isGuarded(provider)) return provider(request, signal);
  try {
    const answer: unknown = provider(request, signal);
    return isDecision(answer) ? answer : decisionOf(answer, request, signal);
  } catch {
    return failed(request, "provider-error");
  }
}

/** Waits for an answer, unless the signal comes first. */
function decisionOf(
  answer: unknown,
  request: AuthRequest,
  signal: AbortSignal | undefined,
): Promise<AuthDecision> {
  return new Promise((resolve) => {
    const settle = (decision: AuthDecision) => {
      signal?.removeEventListener("abort", onAbort);
      resolve(decision);
    };
    const onAbort = () => settle(gone(request));
    // Asking may be what made the client go: then no event comes any more.
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    Promise.resolve(answer).then(
      (decision) =>
        settle(
          isDecision(decision)
            ? decision
            : failed(request, "provider-nonsense"),
        ),
      () => settle(failed(request, "provider-error")),
    );
  });
}

function failed(request: AuthRequest, reason: ProviderReason): AuthDecision {
  explain(request, reason);
  return AuthDecision.authFailure;
}

function gone(request: AuthRequest): AuthDecision {
  return failed(request, "client-gone");
}

function isDecision(answer: unknown): answer is AuthDecision {
  return answer === AuthDecision.authOk ||
    answer === AuthDecision.authInvalid ||
    answer === AuthDecision.authFailure;
}
