import { encodeHex } from "../../lib/hex.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("encodeHex() writes two digits for each octet", () => {
  assertEquals(encodeHex(Uint8Array.of()), "");
  assertEquals(
    encodeHex(Uint8Array.of(0, 9, 10, 0x7f, 0x80, 255)),
    "00090a7f80ff",
  );
});
