/**
 * Several providers as one.
 *
 * @module
 */

import { askNow } from "../ask_provider.ts";
import { explain, reasonOf } from "../reasons.ts";
import { AuthDecision, type AuthProvider, type AuthRequest } from "../types.ts";

/**
 * Makes one provider of several: the first that knows the user decides.
 *
 * They are asked in order, the next one only when one says `authInvalid`. The
 * first `authOk` is the answer. An `authFailure` before that is the answer
 * too, and the others are not asked: while one cannot tell, nobody knows whose
 * password it is, and `535` would make clients throw theirs away.
 *
 * @param providers At least one; each is guarded as by `askProvider`.
 * @returns A provider that never throws or rejects. It answers at once if all
 * that it asks do.
 * @throws {TypeError} If there is no provider at all, or one is no function.
 *
 * @example A few local users, and an endpoint for all others
 * ```ts
 * import {
 *   firstProvider,
 *   newHTTPAuthProvider,
 *   newStaticAuthProvider,
 * } from "@meowmail/smtpauth";
 *
 * const provider = firstProvider(
 *   newStaticAuthProvider({ printer: "correct horse" }),
 *   newHTTPAuthProvider("https://intranet.example/may-send"),
 * );
 * const decision = await provider({
 *   username: "printer",
 *   password: "correct horse",
 *   mechanism: "LOGIN",
 *   remoteIp: "192.0.2.9",
 *   heloName: "printer",
 * });
 * console.assert(decision === "authOk");
 * ```
 */
export function firstProvider(
  ...providers: readonly AuthProvider[]
): AuthProvider {
  if (providers.length === 0) {
    throw new TypeError(
      "Cannot create provider chain: at least one provider is needed",
    );
  }
  for (const provider of providers) {
    if (typeof provider !== "function") {
      throw new TypeError(
        `Cannot create provider chain: providers must be functions: got ${typeof provider}`,
      );
    }
  }
  return (request, signal) => askFrom(providers, 0, request, signal);
}

function askFrom(
  providers: readonly AuthProvider[],
  from: number,
  request: AuthRequest,
  signal: AbortSignal | undefined,
): AuthDecision | Promise<AuthDecision> {
  // Each gets a request of its own: the first note on one stays, and what is
  // to be told is why the last one asked decided as it did.
  let asked = request;
  for (let at = from; at < providers.length; at++) {
    const provider = providers[at];
    if (provider === undefined) break;
    asked = { ...request };
    const answer = askNow(provider, asked, signal);
    if (answer instanceof Promise) {
      const heard = asked;
      return answer.then((decision) =>
        decision === AuthDecision.authInvalid && at + 1 < providers.length
          ? askFrom(providers, at + 1, request, signal)
          : told(request, heard, decision)
      );
    }
    if (answer !== AuthDecision.authInvalid) {
      return told(request, asked, answer);
    }
  }
  return told(request, asked, AuthDecision.authInvalid);
}

function told(
  request: AuthRequest,
  asked: AuthRequest,
  decision: AuthDecision,
): AuthDecision {
  const reason = reasonOf(asked);
  if (reason !== undefined) explain(request, reason);
  return decision;
}
