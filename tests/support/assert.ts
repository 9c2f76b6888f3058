/**
 * The assertions of @std/assert, with types: the npm build that the import map
 * points at has no declarations. Tests import them from here and nowhere else.
 *
 * @module
 */

import * as std from "@std/assert";

/** Any constructor of errors, for the assertions that want a certain one. */
export type ErrorClass<E extends Error = Error> = new (
  ...args: never[]
) => E;

/** Fails if the value is falsy. */
export const assert: (value: unknown, message?: string) => asserts value =
  std.assert;

/** Fails if the value is truthy. */
export const assertFalse: (value: unknown, message?: string) => void =
  std.assertFalse;

/** Fails if the two are not deeply equal. */
export const assertEquals: <T>(
  actual: T,
  expected: T,
  message?: string,
) => void = std.assertEquals;

/** Fails if the two are deeply equal. */
export const assertNotEquals: <T>(
  actual: T,
  expected: T,
  message?: string,
) => void = std.assertNotEquals;

/** Fails if the two are not the same by `Object.is`. */
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  message?: string,
) => asserts actual is T = std.assertStrictEquals;

/** Fails if the two are the same by `Object.is`. */
export const assertNotStrictEquals: <T>(
  actual: T,
  expected: T,
  message?: string,
) => void = std.assertNotStrictEquals;

/** Fails if the value is `null` or `undefined`. */
export const assertExists: <T>(
  actual: T,
  message?: string,
) => asserts actual is NonNullable<T> = std.assertExists;

/** Fails if the value is no instance of the class. */
export const assertInstanceOf: <T>(
  actual: unknown,
  expected: abstract new (...args: never[]) => T,
  message?: string,
) => asserts actual is T = std.assertInstanceOf;

/** Fails if the text does not contain the part. */
export const assertStringIncludes: (
  actual: string,
  part: string,
  message?: string,
) => void = std.assertStringIncludes;

/** Fails if the array does not include all of the expected elements. */
export const assertArrayIncludes: <T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
) => void = std.assertArrayIncludes;

/** Fails if the text does not match. */
export const assertMatch: (
  actual: string,
  pattern: RegExp,
  message?: string,
) => void = std.assertMatch;

/** Fails if the text matches. */
export const assertNotMatch: (
  actual: string,
  pattern: RegExp,
  message?: string,
) => void = std.assertNotMatch;

/** Fails if the object lacks a member of the expected one, or has another value. */
export const assertObjectMatch: (
  actual: object,
  expected: object,
  message?: string,
) => void = std.assertObjectMatch;

/** Fails unless `actual` is at most `expected`. */
export const assertLessOrEqual: <T extends number | bigint | string>(
  actual: T,
  expected: T,
  message?: string,
) => void = std.assertLessOrEqual;

/** Fails unless `actual` is at least `expected`. */
export const assertGreaterOrEqual: <T extends number | bigint | string>(
  actual: T,
  expected: T,
  message?: string,
) => void = std.assertGreaterOrEqual;

/** Fails unless the function throws such an error; returns the error. */
export const assertThrows: <E extends Error = Error>(
  run: () => unknown,
  expected: ErrorClass<E>,
  includes?: string,
  message?: string,
) => E = std.assertThrows;

/** Fails unless the promise rejects with such an error; resolves to the error. */
export const assertRejects: <E extends Error = Error>(
  run: () => PromiseLike<unknown>,
  expected: ErrorClass<E>,
  includes?: string,
  message?: string,
) => Promise<E> = std.assertRejects;

/** Fails, always. */
export const fail: (message?: string) => never = std.fail;

/** Whether two values are deeply equal. */
export const equal: (a: unknown, b: unknown) => boolean = std.equal;
