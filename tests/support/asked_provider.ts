/**
 * Providers that tell what they were asked.
 *
 * @module
 */

import { decisionReason, type ProviderReason } from "../../auth/reasons.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthRequest,
} from "../../auth/types.ts";
import { newRequest } from "./auth_request.ts";

/** A provider and what it has been asked so far. */
export interface AskedProvider {
  readonly provider: AuthProvider;
  readonly asked: readonly AuthRequest[];
}

/** Watches a provider. */
export function watched(provider: AuthProvider): AskedProvider {
  const asked: AuthRequest[] = [];
  return {
    asked,
    provider: (request, signal) => {
      asked.push(request);
      return provider(request, signal);
    },
  };
}

/** One call that waits for the test to answer it. */
export interface OpenCall {
  readonly request: AuthRequest;
  readonly signal: AbortSignal | undefined;
  readonly answer: (decision: AuthDecision) => void;
  readonly fail: (error: Error) => void;
}

/** A provider that answers when the test says so. */
export interface SlowProvider {
  readonly provider: AuthProvider;
  readonly calls: readonly OpenCall[];
  /** The call with this number, from 0, as soon as there is one. */
  readonly call: (index: number) => Promise<OpenCall>;
}

/** Makes a provider whose calls stay open. */
export function newSlowProvider(): SlowProvider {
  const calls: OpenCall[] = [];
  const watchers = new Set<() => void>();
  return {
    calls,
    call: (index) =>
      new Promise((resolve) => {
        const look = () => {
          const call = calls[index];
          if (call === undefined) return;
          watchers.delete(look);
          resolve(call);
        };
        watchers.add(look);
        look();
      }),
    provider: (request, signal) =>
      new Promise((answer, fail) => {
        calls.push({ request, signal, answer, fail });
        watchers.forEach((look) => look());
      }),
  };
}

/** What came out: the decision, and the reason for the log. */
export type Outcome = readonly [AuthDecision, ProviderReason];

/** Asks with a request of its own. */
export async function outcomeOf(
  provider: AuthProvider,
  changes: Partial<AuthRequest> = {},
  signal?: AbortSignal,
): Promise<Outcome> {
  const request = newRequest(changes);
  const decision = await provider(request, signal);
  return [decision, decisionReason(decision, request)];
}
