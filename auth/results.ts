/**
 * Reading what somebody else says about a login: nothing in it is believed
 * before it has been looked at.
 *
 * @module
 */

import { errorText } from "../lib/error_text.ts";
import { isProviderReason } from "./reasons.ts";
import { isSenderList } from "./rights/senders.ts";
import { hasControls } from "../lib/text.ts";
import { readTokenError } from "./token_error.ts";
import type {
  AuthDecision,
  AuthResult,
  LoginRights,
  ResultCause,
  SendingLimits,
} from "./types.ts";

/** The most octets of a context, as JSON. */
const MAX_CONTEXT_OCTETS = 4096;

/** The most octets of the text that stands in a 535. */
const MAX_TEXT_OCTETS = 200;

/** The most characters of a detail: it is for a line of a log. */
const MAX_DETAIL_LENGTH = 1000;

/** An object of which nothing is known. */
export type Untrusted = Readonly<Record<string, unknown>>;

/** Which member of an answer is not what it should be. */
export interface BadMember {
  readonly badMember: string;
}

/** The results that say nothing but their decision. */
const BARE: Readonly<Record<AuthDecision, AuthResult>> = Object.freeze({
  authOk: Object.freeze({ decision: "authOk" }),
  authInvalid: Object.freeze({ decision: "authInvalid" }),
  authFailure: Object.freeze({ decision: "authFailure" }),
});

/** The result that says nothing but its decision. */
export function bareResult(decision: AuthDecision): AuthResult {
  return BARE[decision];
}

/**
 * Makes a result of what a provider has answered.
 *
 * @param answer A decision, a result, or anything else: that is nonsense, and
 * nobody can tell. The result is a copy that nobody can change.
 */
export function readResult(answer: unknown): AuthResult {
  if (isDecision(answer)) return BARE[answer];
  if (!isObject(answer)) return nonsense();
  const { decision } = answer;
  if (!isDecision(decision)) return nonsense("decision");
  const bare: unknown = BARE[decision];
  // Nothing to read, and nothing to copy.
  if (answer === bare) return BARE[decision];
  const cause = readCause(answer);
  if ("badMember" in cause) return nonsense(cause.badMember);
  if (decision !== "authOk") return readRefusal(decision, answer, cause);
  const rights = readRights(answer);
  if ("badMember" in rights) return nonsense(rights.badMember);
  return Object.freeze({ decision, ...rights, ...cause });
}

/** Makes a result of what a provider has thrown. */
export function thrownResult(error: unknown): AuthResult {
  let detail = "unknown";
  try {
    detail = errorText(error).slice(0, MAX_DETAIL_LENGTH);
  } catch {
    // Even its text throws.
  }
  return { decision: "authFailure", reason: "provider-error", detail };
}

/** The result where what a provider has answered makes no sense. */
export function nonsense(detail?: string): AuthResult {
  return {
    decision: "authFailure",
    reason: "provider-nonsense",
    ...(detail === undefined ? {} : { detail }),
  };
}

function readCause({ reason, detail }: Untrusted): ResultCause | BadMember {
  if (reason !== undefined && !isProviderReason(reason)) {
    return { badMember: "reason" };
  }
  if (detail !== undefined && typeof detail !== "string") {
    return { badMember: "detail" };
  }
  return {
    ...(reason === undefined ? {} : { reason }),
    ...(detail === undefined
      ? {}
      : { detail: detail.slice(0, MAX_DETAIL_LENGTH) }),
  };
}

/**
 * A no stays one whatever its words: were it a failure, guesses at passwords
 * would not be counted.
 */
function readRefusal(
  decision: "authInvalid" | "authFailure",
  answer: Untrusted,
  cause: ResultCause,
): AuthResult {
  const { text } = answer;
  const tokenError = readTokenError(answer.tokenError);
  return Object.freeze({
    decision,
    ...(isReplyText(text) ? { text } : {}),
    ...(tokenError === undefined ? {} : { tokenError }),
    ...cause,
  });
}

/**
 * Reads what a yes brings along. One member that is not what it should be
 * spoils all: a yes without its limits is not a yes.
 */
export function readRights(
  { user, senders, limits, expiresAt, context }: Untrusted,
): LoginRights | BadMember {
  if (user !== undefined && !isUser(user)) return { badMember: "user" };
  if (senders !== undefined && !isSenderList(senders)) {
    return { badMember: "senders" };
  }
  if (limits !== undefined && !isLimits(limits)) return { badMember: "limits" };
  if (expiresAt !== undefined && !isTime(expiresAt)) {
    return { badMember: "expiresAt" };
  }
  const json = context === undefined ? undefined : jsonOf(context);
  if (context !== undefined && json === undefined) {
    return { badMember: "context" };
  }
  return {
    ...(user === undefined ? {} : { user }),
    ...(senders === undefined ? {} : { senders: Object.freeze([...senders]) }),
    ...(limits === undefined ? {} : { limits: Object.freeze({ ...limits }) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(json === undefined ? {} : { context: deepFrozen(JSON.parse(json)) }),
  };
}

/**
 * Whether a yes lets in nobody: where a client sends a token without a name
 * (RFC 7628 section 3.1), whoever decides must have one.
 */
export function isNameless(result: AuthResult, username: string): boolean {
  return result.decision === "authOk" && (result.user ?? username) === "";
}

/** Whether a text may stand in a 535 in place of ours. */
export function isReplyText(text: unknown): text is string {
  return typeof text === "string" && text.length <= MAX_TEXT_OCTETS &&
    /^[\x20-\x7e]+$/.test(text) && text.trim() !== "";
}

/** Whether something is an object with members, and no list. */
export function isObject(value: unknown): value is Untrusted {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDecision(value: unknown): value is AuthDecision {
  return typeof value === "string" && Object.hasOwn(BARE, value);
}

/** The rule for user names, for the name that a back end gives. */
export function isUser(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.isWellFormed() &&
    !hasControls(value);
}

const LIMITS: Readonly<Record<keyof SendingLimits, true>> = {
  recipientsPerDay: true,
  messagesPerMinute: true,
};

/** Whether something says how much a user may send, and nothing else. */
export function isLimits(value: unknown): value is SendingLimits {
  return isObject(value) &&
    Object.entries(value).every(([name, limit]) =>
      Object.hasOwn(LIMITS, name) && Number.isSafeInteger(limit) &&
      Number(limit) >= 0
    );
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

/** A value as JSON, if it can be that and is not too long. */
function jsonOf(value: unknown): string | undefined {
  let json: unknown;
  try {
    json = JSON.stringify(value);
  } catch {
    return undefined;
  }
  return typeof json === "string" &&
      new TextEncoder().encode(json).length <= MAX_CONTEXT_OCTETS
    ? json
    : undefined;
}

/** A cache hands one context to many: nobody may change what others get. */
function deepFrozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  Object.values(value).forEach(deepFrozen);
  return Object.freeze(value);
}
