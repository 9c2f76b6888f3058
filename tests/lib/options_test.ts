import {
  aBoolean,
  aFunction,
  aHost,
  anObject,
  aPath,
  aSignal,
  aToken,
  checkOptions,
  checkValue,
  integer,
  limitMs,
  listOf,
  pauseMs,
  required,
  type Rule,
  type Rules,
  text,
} from "../../lib/options.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

interface Options {
  readonly port?: number;
  readonly deliver: () => void;
}

const RULES: Rules<Options> = {
  port: integer(0, 65_535),
  deliver: required(aFunction),
};

/** What is said about options, or `undefined` if they are good. */
function complaint(options: unknown, name?: string): string | undefined {
  try {
    // deno-lint-ignore no-explicit-any -- what callers without types may give
    checkOptions("serve mail", options as any, RULES, name);
    return undefined;
  } catch (error) {
    return String(error);
  }
}

Deno.test("checkOptions() says what was to be done, what is accepted, and what was given", () => {
  const deliver = () => {};
  const rows = [
    [{ deliver }, undefined],
    [{ deliver, port: undefined }, undefined],
    [{ deliver, port: 25 }, undefined],
    [
      undefined,
      "TypeError: Cannot serve mail: options must be an object: got undefined",
    ],
    [null, "TypeError: Cannot serve mail: options must be an object: got null"],
    [
      "x",
      "TypeError: Cannot serve mail: options must be an object: got a string",
    ],
    [
      [],
      "TypeError: Cannot serve mail: options must be an object: got an array",
    ],
    [
      deliver,
      "TypeError: Cannot serve mail: options must be an object: got a function",
    ],
    [
      {},
      "TypeError: Cannot serve mail: deliver must be a function: got undefined",
    ],
    [
      { deliver, prot: 25 },
      "TypeError: Cannot serve mail: options may have port, deliver: got prot",
    ],
    [
      { deliver, prot: undefined },
      "TypeError: Cannot serve mail: options may have port, deliver: got prot",
    ],
    [
      { deliver, port: "25" },
      "TypeError: Cannot serve mail: port must be an integer from 0 to 65535: got a string",
    ],
    [
      { deliver, port: -1 },
      "RangeError: Cannot serve mail: port must be an integer from 0 to 65535: got -1",
    ],
    [
      { deliver, port: 2.5 },
      "RangeError: Cannot serve mail: port must be an integer from 0 to 65535: got 2.5",
    ],
    [
      { deliver, port: null },
      "TypeError: Cannot serve mail: port must be an integer from 0 to 65535: got null",
    ],
  ] as const;
  for (const [options, expected] of rows) {
    assertEquals(complaint(options), expected);
  }
});

Deno.test("checkOptions() names the members of a member", () => {
  assertEquals(
    complaint({ deliver: 1 }, "upstream"),
    "TypeError: Cannot serve mail: upstream.deliver must be a function: got 1",
  );
  assertEquals(
    complaint({ prot: 1 }, "upstream"),
    "TypeError: Cannot serve mail: upstream may have port, deliver: got prot",
  );
  assertEquals(
    complaint(1, "upstream"),
    "TypeError: Cannot serve mail: upstream must be an object: got 1",
  );
});

Deno.test("rules accept what they say and nothing else", () => {
  const short = text("a short text", (value) => value.length < 3);
  const rows:
    readonly (readonly [Rule, readonly unknown[], readonly unknown[]])[] = [
      [integer(1), [1, Number.MAX_SAFE_INTEGER], [
        0,
        1.5,
        NaN,
        Infinity,
        2 ** 53,
        "1",
        1n,
        null,
      ]],
      [integer(0, 10), [0, 10], [-1, 11]],
      [limitMs(), [0.5, 2_147_483_647], [
        0,
        -1,
        NaN,
        Infinity,
        2_147_483_648,
        "1",
      ]],
      [pauseMs(5000), [0, 0.5, 5000], [-0.1, 5001, NaN, "0"]],
      [aFunction, [() => 1, class {}], [{}, "x", null]],
      [aBoolean, [true, false], [0, "true", null]],
      [anObject, [{}, new Map()], [null, [], () => 1, "x"]],
      [aSignal, [AbortSignal.abort()], [{}, null, new AbortController(), true]],
      [aToken, ["x", "a~!"], ["", "a b", "ä", "a\n", 1]],
      [aHost, ["localhost", "::1", "192.0.2.1", "fe80::1%eth0"], [
        "",
        "http://a/",
        "a b",
        "a@b",
        1,
      ]],
      [aPath, ["x", "/a b"], ["", "a\0", 1]],
      [short, ["", "ab"], ["abc", 1, null]],
      [listOf("short texts", short), [[], ["a", "b"]], [
        "a",
        ["a", "abc"],
        [1],
        null,
      ]],
    ];
  for (const [rule, good, bad] of rows) {
    for (const value of good) checkValue("act", "it", rule, value);
    for (const value of bad) {
      assertThrows(
        () => checkValue("act", "it", rule, value),
        Error,
        "Cannot act: it must be ",
      );
    }
  }
});

Deno.test("an error repeats no text, as it may be a secret, unless the rule tells it", () => {
  const secret = "correct horse";
  const shown = { ...aToken, tell: (value: unknown) => JSON.stringify(value) };
  const cases = [
    [aToken, secret, "a string"],
    [aToken, "", "an empty string"],
    [aToken, [secret], "an array"],
    [aToken, { secret }, "an object"],
    [aToken, 5n, "a bigint"],
    [aToken, 12345678, "a number"],
    [aToken, true, "a boolean"],
    [shown, secret, '"correct horse"'],
    [listOf("tokens", aToken), ["x", secret], "a string"],
    [listOf("tokens", shown), ["x", secret], '"correct horse"'],
    [listOf("tokens", shown), secret, "a string"],
  ] as const;
  for (const [rule, value, told] of cases) {
    const error = assertThrows(
      () => checkValue("act", "it", rule, value),
      TypeError,
    );
    assertEquals(
      error.message,
      `Cannot act: it must be ${rule.is}: got ${told}`,
    );
  }
});
