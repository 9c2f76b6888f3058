/**
 * The guard around a provider.
 *
 * @module
 */

import { isTimedOut, race } from "../lib/race.ts";
import { repeatsSecret } from "../lib/secret_text.ts";
import { CLIENT_GONE, LATE } from "./reasons.ts";
import { isNameless, nonsense, readResult, thrownResult } from "./results.ts";
import type { AuthProvider, AuthRequest, AuthResult } from "./types.ts";

/**
 * Asks a provider and always gets a result: one that throws, rejects or
 * answers nonsense counts as `authFailure`, and so does an aborted signal, even
 * if the provider does not listen to it. A yes without a `user`, where the
 * client has sent none either (OAUTHBEARER may), is nonsense: nobody would be
 * let in.
 *
 * @param provider Whom to ask.
 * @param request What to ask.
 * @param signal Aborted when nobody waits for the answer any more; it is
 * handed to the provider too. The result's reason is `client-gone`, or
 * `backend-timeout` where a `TimeoutError` aborts it.
 * @returns The result: a copy of what the provider said, which nobody can
 * change. What the provider threw is its `detail`, for the log. Never rejects.
 *
 * @example A broken provider is not a wrong password
 * ```ts
 * import { askProvider } from "@meowmail/smtpauth";
 *
 * const broken = () => {
 *   throw new Error("the database is down");
 * };
 * const { decision, reason } = await askProvider(broken, {
 *   username: "ann",
 *   password: "secret",
 *   mechanism: "PLAIN",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authFailure" && reason === "provider-error");
 * ```
 * @category A server of your own
 */
export async function askProvider(
  provider: AuthProvider,
  request: AuthRequest,
  signal?: AbortSignal,
): Promise<AuthResult> {
  const raced = await race<unknown>(() => provider(request, signal), {
    signal,
  });
  switch (raced.kind) {
    case "done":
      return discreet(named(read(raced.value), request), request);
    case "broken":
      return discreet(thrownResult(raced.error), request);
    case "late":
      return LATE;
    case "gone":
      return isTimedOut(signal) ? LATE : CLIENT_GONE;
    default:
      return raced satisfies never;
  }
}

/** Looking at somebody else's object can throw as well. */
function read(answer: unknown): AuthResult {
  try {
    return readResult(answer);
  } catch (error) {
    return thrownResult(error);
  }
}

/** Nobody is let in without a name: not its senders, limits and log lines. */
function named(result: AuthResult, { username }: AuthRequest): AuthResult {
  return isNameless(result, username) ? nonsense("user") : result;
}

/** A provider's own words may repeat the password: then they are for nobody. */
function discreet(result: AuthResult, { password }: AuthRequest): AuthResult {
  const { detail } = result;
  if (detail === undefined || !repeatsSecret(detail, password)) return result;
  return { ...result, detail: "withheld: it repeats the password" };
}
