/**
 * Asking a provider on behalf of a program that will not wait for ever.
 *
 * @module
 */

import { askProvider } from "../auth/ask_provider.ts";
import {
  type AuthReason,
  CLIENT_GONE,
  INTERRUPTED,
  LATE,
  reasonOf,
} from "../auth/reasons.ts";
import type { AuthProvider, AuthRequest, AuthResult } from "../auth/types.ts";
import { limitMs, type Rule } from "../lib/options.ts";
import { wholeMicroseconds } from "../lib/microseconds.ts";
import { race, type Raced } from "../lib/race.ts";
import {
  type AuthEvent,
  type AuthVia,
  outcomeOfCode,
  OUTCOMES,
} from "../auth/events.ts";

/**
 * How long a provider may take, in milliseconds. Postfix gives up after ten
 * seconds, and Exim waits for ever: both must have their answer before that.
 */
export const DEFAULT_TIMEOUT_MS = 9_000;

/** A time limit for a provider: ten minutes are the longest that makes sense. */
export const aTimeout: Rule = limitMs(600_000);

/** Through which adapter a question has come. */
export type AdapterName = Exclude<AuthVia, "smtp">;

/** How an adapter asks. */
export interface AskOptions {
  /** Through which adapter the question has come. */
  readonly via: AdapterName;
  /** The id of the connection that it has come on, or of the question. */
  readonly id: string;
  /** Who decides. */
  readonly provider: AuthProvider;
  /** How long it may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
  /** Aborted when the server stops: then it is not the client that has gone. */
  readonly stop?: AbortSignal;
}

/** What came of it. */
export interface Asked {
  readonly result: AuthResult;
  readonly event: AuthEvent;
}

/** Asks, in time, and says what the log should know. Never rejects. */
export async function askInTime(
  request: AuthRequest,
  options: AskOptions,
): Promise<Asked> {
  const { provider, timeoutMs, signal } = options;
  const abort = new AbortController();
  const began = performance.now();
  const raced = await race(
    () => askProvider(provider, request, abort.signal),
    { limit: timeoutMs, signal },
  );
  const milliseconds = wholeMicroseconds(performance.now() - began);
  if (raced.kind !== "done") abort.abort();
  const result = resultOf(raced, options.stop);
  return { result, event: authEvent(options, request, result, milliseconds) };
}

function resultOf(
  raced: Raced<AuthResult>,
  stop: AbortSignal | undefined,
): AuthResult {
  switch (raced.kind) {
    case "done":
      return raced.value;
    case "broken":
    case "late":
      return LATE;
    case "gone":
      return stop?.aborted ? INTERRUPTED : CLIENT_GONE;
    default:
      return raced satisfies never;
  }
}

function authEvent(
  { via, id }: AskOptions,
  { username, mechanism, remoteIp }: AuthRequest,
  result: AuthResult,
  milliseconds: number,
): AuthEvent {
  const { decision, detail } = result;
  const user = userOf(result, username);
  return {
    kind: "auth",
    via,
    id,
    outcome: OUTCOMES[decision],
    reason: reasonOf(result),
    ...(detail === undefined ? {} : { detail }),
    mechanism,
    ...(user === "" ? {} : { username: user }),
    remoteIp,
    milliseconds,
  };
}

/** Why a provider was not asked: an error of the exchange, or of the question. */
export interface Unasked {
  /** The reply code of SMTP that it comes to; absent if there is none. */
  readonly code?: number;
  readonly reason: AuthReason;
}

/**
 * What the log should know of a login that no provider was asked about, but for
 * the connection's id.
 *
 * @param who Whom it is about, as far as that is known.
 */
export function unaskedEvent(
  via: AdapterName,
  { code, reason }: Unasked,
  { mechanism = "", username = "", remoteIp = "" }: Partial<AuthRequest> = {},
): Omit<AuthEvent, "id"> {
  return {
    kind: "auth",
    via,
    outcome: outcomeOfCode(code),
    reason,
    mechanism,
    ...(username === "" ? {} : { username }),
    remoteIp,
    milliseconds: 0,
  };
}

/** Who has logged in: the back end's own name for the user, if it has one. */
export function userOf(result: AuthResult, username: string): string {
  return result.decision === "authOk" ? result.user ?? username : username;
}
