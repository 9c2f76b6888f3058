import { readResult } from "../../auth/results.ts";
import { readTokenError, tokenErrorJson } from "../../auth/token_error.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

const STATUS = "invalid_token";
const URL = "https://sso.example/.well-known/openid-configuration";

Deno.test("readTokenError() reads the three members, and leaves others out", () => {
  const rows = [
    [{ status: STATUS }, { status: STATUS }],
    [{ status: "x".repeat(64) }, { status: "x".repeat(64) }],
    [{ status: STATUS, scope: "a b:c" }, { status: STATUS, scope: "a b:c" }],
    [{ status: STATUS, schemes: "bearer", scope: undefined }, {
      status: STATUS,
    }],
    [{ status: STATUS, openidConfiguration: URL }, {
      status: STATUS,
      openidConfiguration: URL,
    }],
    [{ status: STATUS, "openid-configuration": URL }, {
      status: STATUS,
      openidConfiguration: URL,
    }],
  ] as const;
  for (const [value, expected] of rows) {
    const read = readTokenError(value);
    assertEquals<unknown>(read, expected);
    assertThrows(() => Object.assign(read ?? {}, { status: "x" }), TypeError);
  }
});

Deno.test("readTokenError() takes a member that is not what it should be for no explanation", () => {
  const rows: readonly unknown[] = [
    ...[undefined, null, 1, STATUS, [], [STATUS], {}, () => STATUS],
    ...["", " ", "a b", 'a"b', "a\\b", "ü", "a\n", "x".repeat(65), 401, null]
      .map((status) => ({ status })),
    ...["", " a", "a ", "a  b", 'a"', "a\r\nb", "ü", "s".repeat(513), null, []]
      .map((scope) => ({ status: STATUS, scope })),
    ...["", "sso.example", "ftp://a", "https://", `${URL} `, "https://ü", 1]
      .map((openidConfiguration) => ({ status: STATUS, openidConfiguration })),
    { status: STATUS, "openid-configuration": "javascript:alert(1)" },
    { status: STATUS, openidConfiguration: URL + "x".repeat(512) },
  ];
  for (const value of rows) {
    assertEquals(readTokenError(value), undefined, Deno.inspect(value));
  }
});

Deno.test("tokenErrorJson() has the names of RFC 7628, and reads back", () => {
  assertEquals(tokenErrorJson({ status: STATUS }), { status: STATUS });
  const whole = { status: STATUS, scope: "mail", openidConfiguration: URL };
  const json = JSON.stringify(tokenErrorJson(whole));
  assertEquals(
    json,
    `{"status":"invalid_token","scope":"mail","openid-configuration":"${URL}"}`,
  );
  assertEquals(readTokenError(JSON.parse(json)), whole);
});

Deno.test("readResult() keeps why a token is refused, and a no without it", () => {
  const tokenError = { status: STATUS, scope: "mail" };
  const no = { decision: "authInvalid", tokenError };
  const read = readResult({ ...no, tokenError: { ...tokenError, x: 1 } });
  assertEquals<unknown>(read, no);
  assert(Object.isFrozen(read));
  assertEquals(readResult({ ...no, tokenError: { scope: "mail" } }), {
    decision: "authInvalid",
  });
  assertEquals(readResult({ ...no, decision: "authOk" }), {
    decision: "authOk",
  });
});
