import { importSecret, keyedHash, newSecret } from "../../lib/hmac.ts";
import { assertEquals, assertNotEquals } from "../support/assert.ts";

const secret = Uint8Array.from({ length: 32 }, (_, i) => i);

async function hex(texts: readonly string[], key = secret): Promise<string> {
  return (await keyedHash(await importSecret(key), texts)).toHex();
}

Deno.test("keyedHash() is HMAC-SHA-256 over length and UTF-8 of each text, or UTF-16 if it has none", async () => {
  const key = await crypto.subtle.importKey(
    "raw",
    secret,
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const framed = Uint8Array.of(
    ...[0, 0, 0, 4, 65, 0xe2, 0x82, 0xac],
    ...[0, 0, 0, 0],
    ...[0, 0, 0, 5, 0xff, 0, 65, 0xd8, 0],
  );
  const expected = await crypto.subtle.sign("HMAC", key, framed);
  const texts = ["A\u20ac", "", "A\ud800"];
  assertEquals(await hex(texts), new Uint8Array(expected).toHex());
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
  ];
  const hashes = await Promise.all(lists.map((list) => hex(list)));
  assertEquals(new Set(hashes).size, lists.length);
});

Deno.test("keyedHash() depends on the key", async () => {
  assertNotEquals(await hex(["ann"]), await hex(["ann"], newSecret()));
  assertNotEquals(newSecret().toHex(), newSecret().toHex());
  assertEquals(newSecret().length, 32);
});
