/**
 * Options, checked where something is made from them: in one grammar, which
 * says what was to be done, what is accepted, and what was given.
 *
 * A text is never repeated, as it may be a secret in the wrong place.
 *
 * @module
 */

import { parseNetwork } from "./ip.ts";

/** The longest delay that timers can take, in milliseconds: 2^31 - 1. */
export const MAX_TIMER_MS = 2_147_483_647;

/** What a value must be. */
export interface Rule {
  /** What is accepted, in words that follow "must be". */
  readonly is: string;
  /** Whether a value is accepted. */
  readonly test: (value: unknown) => boolean;
  /** It is a number that is accepted: another one is a `RangeError`. */
  readonly isNumber?: true;
  /** The value must be given. */
  readonly isRequired?: true;
  /** How a value that is not accepted is told, if not by its kind. */
  readonly tell?: (value: unknown) => string;
}

/** A rule for each member of an options object. */
export type Rules<Options> = {
  readonly [Name in keyof Options]-?: Rule;
};

/**
 * Throws unless options are an object with members that the rules know, each
 * as its rule wants it. A member that is `undefined` is not given.
 *
 * @param action What was to be done: `serve SMTP`.
 * @param name What the options are called, if they are no argument themselves.
 * @throws {TypeError} If something is of the wrong kind, unknown or missing.
 * @throws {RangeError} If a number is out of its range.
 */
export function checkOptions<Options extends object>(
  action: string,
  options: Options,
  rules: Rules<Options>,
  name?: string,
): void {
  checkValue(action, name ?? "options", anObject, options);
  const known = new Map<string, Rule>(Object.entries(rules));
  const given = new Map<string, unknown>(Object.entries(options));
  for (const member of given.keys()) {
    if (known.has(member)) continue;
    const accepted = [...known.keys()].join(", ");
    throw new TypeError(
      `Cannot ${action}: ${
        name ?? "options"
      } may have ${accepted}: got ${member}`,
    );
  }
  const prefix = name === undefined ? "" : `${name}.`;
  for (const [member, rule] of known) {
    const value = given.get(member);
    if (value === undefined && !rule.isRequired) continue;
    checkValue(action, prefix + member, rule, value);
  }
}

/**
 * Throws unless a value is what its rule wants.
 *
 * @throws {TypeError} If it is of the wrong kind.
 * @throws {RangeError} If it is a number out of its range.
 */
export function checkValue(
  action: string,
  name: string,
  rule: Rule,
  value: unknown,
): void {
  if (rule.test(value)) return;
  const got = (rule.tell ?? told)(value);
  const text = `Cannot ${action}: ${name} must be ${rule.is}: got ${got}`;
  throw rule.isNumber && typeof value === "number"
    ? new RangeError(text)
    : new TypeError(text);
}

/** The same rule for a value that must be given. */
export function required(rule: Rule): Rule {
  return { ...rule, isRequired: true };
}

/** A function. */
export const aFunction: Rule = {
  is: "a function",
  test: (value) => typeof value === "function",
};

/** An object that is no list. */
export const anObject: Rule = {
  is: "an object",
  test: (value) =>
    typeof value === "object" && value !== null && !Array.isArray(value),
};

/** Yes or no. */
export const aBoolean: Rule = {
  is: "true or false",
  test: (value) => typeof value === "boolean",
};

/** What can abort. */
export const aSignal: Rule = {
  is: "an AbortSignal",
  // Not by its class: there is more than one.
  test: (value) =>
    typeof value === "object" && value !== null && "aborted" in value &&
    "addEventListener" in value,
};

/** A whole number. */
export function integer(least: number, most: number = Infinity): Rule {
  return {
    is: most === Infinity
      ? `an integer >= ${least}`
      : `an integer from ${least} to ${most}`,
    test: (value) =>
      Number.isSafeInteger(value) && Number(value) >= least &&
      Number(value) <= most,
    isNumber: true,
  };
}

/** A time in milliseconds that may be none at all. */
export function pauseMs(most: number = MAX_TIMER_MS): Rule {
  return {
    is: `a number from 0 to ${most}`,
    test: (value) => typeof value === "number" && value >= 0 && value <= most,
    isNumber: true,
  };
}

/** A time in milliseconds that something takes or lasts. */
export function limitMs(most: number = MAX_TIMER_MS): Rule {
  return {
    is: `a number > 0 and <= ${most}`,
    test: (value) => typeof value === "number" && value > 0 && value <= most,
    isNumber: true,
  };
}

/** A TCP port to listen on; 0 for any free one. */
export const aPort: Rule = integer(0, 65_535);

/** A text of a certain form. */
export function text(is: string, test: (value: string) => boolean): Rule {
  return { is, test: (value) => typeof value === "string" && test(value) };
}

/** A secret, of which an error tells no more than its kind. */
export function secret(is: string, test: (value: string) => boolean): Rule {
  return { ...text(is, test), tell: kindOf };
}

/** A secret that can stand in a header as it is (RFC 6750 section 2.1). */
export const aToken: Rule = secret(
  "visible ASCII characters without spaces",
  (value) => /^[\x21-\x7e]+$/.test(value),
);

/** Any text. */
export const aString: Rule = text("a string", () => true);

/** A URL, which whoever takes it reads more closely. */
export const aURL: Rule = {
  is: "a URL",
  test: (value) => typeof value === "string" || value instanceof URL,
  tell: kindOf,
};

/** A value, or a function that is asked for it each time. */
export function orFunction(rule: Rule): Rule {
  return {
    is: `${rule.is} or a function`,
    test: (value) => typeof value === "function" || rule.test(value),
    tell: kindOf,
  };
}

/** The value of such an option as it is now. */
export function currentOf<T extends string | undefined>(
  option: T | (() => T),
): T {
  return typeof option === "function" ? option() : option;
}

/** The name or the address of a machine. */
export const aHost: Rule = text(
  "a host name or an IP address",
  (value) => /^[A-Za-z0-9._:%-]{1,255}$/.test(value),
);

/** A path in the file system. */
export const aPath: Rule = text(
  "a path",
  (value) => value !== "" && !value.includes("\0"),
);

/** A list of which each element is as a rule wants it. */
export function listOf(is: string, rule: Rule): Rule {
  const isBad = (element: unknown) => !rule.test(element);
  return {
    is,
    test: (value) => Array.isArray(value) && !value.some(isBad),
    tell: (value) =>
      Array.isArray(value)
        ? (rule.tell ?? told)(value.find(isBad))
        : told(value),
  };
}

/** Networks: they are no secret, so that an error may name the wrong one. */
export const networks: Rule = listOf("networks such as 192.0.2.0/24", {
  ...text("a network", (value) => parseNetwork(value) !== undefined),
  tell: (value) => typeof value === "string" ? value : kindOf(value),
});

/** A value as an error may tell it: never a text, as it may be a secret. */
function told(value: unknown): string {
  return typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : kindOf(value);
}

/** What kind of value it is. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (value === "") return "an empty string";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
