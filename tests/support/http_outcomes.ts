/**
 * How asking an endpoint may end: the decision, and the reason in the log.
 *
 * @module
 */

export const UNREACHABLE: readonly [decision: string, reason: string] = [
  "authFailure",
  "backend-unreachable",
];
export const TIMEOUT: readonly [decision: string, reason: string] = [
  "authFailure",
  "backend-timeout",
];
export const TOO_LARGE: readonly [decision: string, reason: string] = [
  "authFailure",
  "backend-size",
];
export const GONE: readonly [decision: string, reason: string] = [
  "authFailure",
  "client-gone",
];
export const YES: readonly [decision: string, reason: string] = [
  "authOk",
  "ok",
];
