/**
 * What counts as a promise.
 *
 * @module
 */

/** Whether something can be waited for, a promise of another make included. */
export function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === "object" && answer !== null && "then" in answer &&
    typeof answer.then === "function";
}
