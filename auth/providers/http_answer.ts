/**
 * What an answer of an HTTP endpoint means.
 *
 * @module
 */

import { parseJSON } from "../../lib/json.ts";
import type { ProviderReason } from "../reasons.ts";
import {
  bareResult,
  isObject,
  isReplyText,
  readRights,
  type Untrusted,
} from "../results.ts";
import { readTokenError } from "../token_error.ts";
import type { AuthResult } from "../types.ts";

/** The longest `max-age` that counts, in seconds: RFC 9111 section 1.2.2. */
const MAX_AGE_S = 2_147_483_648;

/** What an answer says before its body. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

/** The result where nobody can tell, and why. */
export function failure(reason: ProviderReason, detail?: string): AuthResult {
  const result = { decision: "authFailure", reason } as const;
  return detail === undefined ? result : { ...result, detail };
}

/**
 * Makes a result of an answer that has arrived whole and in time.
 *
 * @param now When it arrived, in milliseconds since 1970.
 */
export function readAnswer(
  { status, headers }: AnswerHead,
  body: Uint8Array,
  now: number,
): AuthResult {
  switch (status) {
    case 200:
      return readDecision(body, headers, now);
    case 401:
      return refusesToken(headers)
        ? failure("backend-token", "invalid_token")
        : bareResult("authInvalid");
    case 403:
      return bareResult("authInvalid");
    case 0: // how an engine may show a redirect that it did not follow
      return failure("backend-redirect");
    default:
      return status >= 300 && status < 400
        ? failure("backend-redirect", `${status}`)
        : failure("backend-status", `${status}`);
  }
}

/** A parameter of a challenge, or the scheme that begins one. */
const CHALLENGE_PART =
  /([\w!#$%&'*+.^`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+))?/g;

/** Whether it is our own token that is wrong (RFC 6750 section 3). */
function refusesToken(headers: Headers): boolean {
  const challenges = headers.get("www-authenticate") ?? "";
  let scheme = "";
  for (const [, name = "", value] of challenges.matchAll(CHALLENGE_PART)) {
    if (value === undefined) scheme = name.toLowerCase();
    else if (scheme === "bearer" && name.toLowerCase() === "error") {
      return value.replaceAll('"', "") === "invalid_token";
    }
  }
  return false;
}

function readDecision(
  body: Uint8Array,
  headers: Headers,
  now: number,
): AuthResult {
  const answer = parseJSON(body);
  if (answer === undefined) return failure("backend-answer", "not JSON");
  if (!isObject(answer)) return failure("backend-answer", "not an object");
  switch (answer.ok) {
    case true:
      return readYes(answer, headers, now);
    case false:
      return readNo(answer);
    default:
      return failure("backend-answer", "ok");
  }
}

function readYes(
  answer: Untrusted,
  headers: Headers,
  now: number,
): AuthResult {
  const rights = readRights(answer);
  if ("badMember" in rights) {
    return failure("backend-answer", rights.badMember);
  }
  const maxAge = maxAgeOf(headers);
  if (maxAge === undefined) return { decision: "authOk", ...rights };
  const { expiresAt = Infinity } = rights;
  const staleAt = now + maxAge * 1000;
  return {
    decision: "authOk",
    ...rights,
    expiresAt: Math.min(expiresAt, staleAt),
  };
}

/** How long an answer is fresh, in seconds (RFC 9111 section 5.2.2.1). */
function maxAgeOf(headers: Headers): number | undefined {
  const control = headers.get("cache-control") ?? "";
  const [, seconds] = /(?:^|[,\s])max-age="?([0-9]+)/i.exec(control) ?? [];
  return seconds === undefined
    ? undefined
    : Math.min(Number(seconds), MAX_AGE_S);
}

/** A no stays one whatever else the endpoint says: guesses must count. */
function readNo(answer: Untrusted): AuthResult {
  const { text } = answer;
  const tokenError = readTokenError(answer.tokenError);
  const bad = [
    ...(text === undefined || isReplyText(text) ? [] : ["text"]),
    ...(answer.tokenError === undefined || tokenError !== undefined
      ? []
      : ["tokenError"]),
  ];
  return {
    decision: "authInvalid",
    ...(isReplyText(text) ? { text } : {}),
    ...(tokenError === undefined ? {} : { tokenError }),
    ...(bad.length === 0 ? {} : { detail: bad.join(", ") }),
  };
}
