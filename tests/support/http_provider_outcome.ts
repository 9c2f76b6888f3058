/**
 * Asking an HTTP provider as the tests do.
 *
 * @module
 */

import { newHTTPAuthProvider } from "../../auth/providers/http.ts";
import type { HTTPAuthProviderOptions } from "../../auth/providers/http.ts";
import { type ProviderReason, reasonOf } from "../../auth/reasons.ts";
import type { AuthDecision, ReadyProvider } from "../../auth/types.ts";
import { newRequest } from "./auth_request.ts";
import { mustHappen } from "../../testing/deadline.ts";

/** What an asking came to, and why. */
export type Outcome = readonly [AuthDecision, ProviderReason];

/** A time limit that no test comes near, where the limit is not the subject. */
export const LONG_MS = 60_000;

/** A time limit for the tests in which it must strike. */
export const SHORT_MS = 50;

/** Asks once, and tells reason and detail as a log would. */
export async function causeOf(provider: ReadyProvider): Promise<string> {
  const result = await mustHappen(
    provider(newRequest()),
    "the provider has decided",
  );
  return [reasonOf(result), result.detail ?? ""].join(" ").trimEnd();
}

/** A provider that has time, unless the options say otherwise. */
export function newPatientProvider(
  url: string | URL,
  options: HTTPAuthProviderOptions,
): ReadyProvider {
  return newHTTPAuthProvider(url, { timeoutMs: LONG_MS, ...options });
}

/** Asks once, with a request of its own. */
export async function ask(
  provider: ReadyProvider,
  signal?: AbortSignal,
): Promise<Outcome> {
  const result = await mustHappen(
    provider(newRequest(), signal),
    "the provider has decided",
  );
  return [result.decision, reasonOf(result)];
}
