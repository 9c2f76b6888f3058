/**
 * The guard around a provider.
 *
 * @module
 */

import { explain } from "./reasons.ts";
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
  if (signal?.aborted) return gone(request);
  try {
    const answer: unknown = provider(request, signal);
    // Most local providers answer at once: nothing to wait for or to clean up.
    if (isDecision(answer)) return answer;
    const decision = await unlessAborted(Promise.resolve(answer), signal);
    if (signal?.aborted) return gone(request);
    if (isDecision(decision)) return decision;
    explain(request, "provider-nonsense");
  } catch {
    explain(request, "provider-error");
  }
  return AuthDecision.authFailure;
}

function gone(request: AuthRequest): AuthDecision {
  explain(request, "client-gone");
  return AuthDecision.authFailure;
}

function isDecision(answer: unknown): answer is AuthDecision {
  return answer === AuthDecision.authOk ||
    answer === AuthDecision.authInvalid ||
    answer === AuthDecision.authFailure;
}

function unlessAborted(
  answer: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve(undefined);
    signal.addEventListener("abort", onAbort, { once: true });
    answer.then(resolve, reject).finally(() =>
      signal.removeEventListener("abort", onAbort)
    );
  });
}
