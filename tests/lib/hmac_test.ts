import { importSecret, keyedHash, newSecret } from "../../lib/hmac.ts";
import { assertEquals, assertNotEquals } from "../support/assert.ts";

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);

async function hex(texts: readonly string[], key = secret): Promise<string> {
  return (await keyedHash(await importSecret(key), texts)).toHex();
}

Deno.test("keyedHash() is HMAC-SHA-256 over each text behind its length, or over JSON if one has no UTF-8", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    secret,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const lists = [
    [["A\u20ac", "", "B"], "2 A\u20ac0 1 B"],
    [["A\u20ac", "B\ud800"], '["A\u20ac","B\\ud800"]'],
  ] as const;
  for (const [texts, octets] of lists) {
    const data = new TextEncoder().encode(octets);
    const expected = await crypto.subtle.sign("HMAC", key, data);
    assertEquals(await hex(texts), new Uint8Array(expected).toHex());
  }
});

Deno.test("keyedHash() tells all lists of texts apart", async () => {
  const lists = [
    [],
    [""],
    ["", ""],
    ["PLAIN", "ann", "xy"],
    ["PLAIN", "annx", "y"],
    ["PLAIN", "annxy", ""],
    ["PLAINann", "", "xy"],
    ["PLAIN", "ann", "xy", ""],
    ["PLAIN", "ann\0", "xy"],
    ["PLAIN", "ann", "\0xy"],
    ["PLAIN", "ann", "XY"],
    // Not the same in UTF-16, but all the same in lenient UTF-8.
    ["PLAIN", "ann", "\ud800"],
    ["PLAIN", "ann", "\ud801"],
    ["PLAIN", "ann", "\ufffd"],
    // What stands in front of a text, in a text.
    ["PLAIN", "ann2 xy"],
    ["PLAIN3 ann", "xy"],
    ['["PLAIN","ann","\\ud800"]'],
    ["PLAIN", "ann", "\\ud800"],
  ];
  const hashes = await Promise.all(lists.map((list) => hex(list)));
  assertEquals(new Set(hashes).size, lists.length);
});

Deno.test("keyedHash() depends on the key", async () => {
  assertNotEquals(await hex(["ann"]), await hex(["ann"], newSecret()));
  assertNotEquals(newSecret().toHex(), newSecret().toHex());
  assertEquals(newSecret().length, 32);
});
