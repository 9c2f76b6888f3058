/**
 * Providers that tell what they were asked.
 *
 * @module
 */

import { type ProviderReason, reasonOf } from "../../auth/reasons.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthRequest,
  AuthResult,
  ReadyProvider,
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
  readonly answer: (answer: AuthDecision | AuthResult) => void;
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

/** Asks a provider of ours with a request of its own. */
export async function outcomeOf(
  provider: ReadyProvider,
  changes: Partial<AuthRequest> = {},
  signal?: AbortSignal,
): Promise<Outcome> {
  const result = await provider(newRequest(changes), signal);
  return [result.decision, reasonOf(result)];
}

/** Asks, and tells the decision alone. */
export async function decisionOf(
  provider: ReadyProvider,
  request: AuthRequest,
  signal?: AbortSignal,
): Promise<AuthDecision> {
  return (await provider(request, signal)).decision;
}
