import { parseJSON, withoutNulls } from "../../lib/json.ts";
import { isObject } from "../../auth/results.ts";
import { assert, assertEquals } from "../support/assert.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("parseJSON() reads JSON in UTF-8, with a byte order mark or without", () => {
  const rows = [
    ['{"a":"\u00f6 \ufffd"}', { a: "\u00f6 \ufffd" }],
    ["\ufeff[1]", [1]],
    [" null ", null],
  ] as const;
  for (const [text, value] of rows) assertEquals(parseJSON(utf8(text)), value);
});

Deno.test("parseJSON() reads nothing else", () => {
  for (const text of ["", "\ufeff", "\ufeff\ufeff1", "{", "undefined"]) {
    assertEquals(parseJSON(utf8(text)), undefined);
  }
  for (const octets of [[0x22, 0xf6, 0x22], [0xff, 0xfe, 0x31, 0]]) {
    assertEquals(parseJSON(Uint8Array.from(octets)), undefined);
  }
});

Deno.test("withoutNulls() leaves members out that are null, and no others", () => {
  const value: unknown = JSON.parse('{"a":null,"b":0,"c":"","__proto__":1}');
  assert(isObject(value));
  const left = withoutNulls(value);
  assertEquals(Object.entries(left), [["b", 0], ["c", ""], ["__proto__", 1]]);
});
