import { concat } from "../../lib/octets.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("concat() puts pieces behind one another, and does not copy one alone", () => {
  const piece = Uint8Array.of(1, 2);
  assertEquals(concat([]), new Uint8Array());
  assert(concat([piece]) === piece);
  assertEquals(
    concat([piece, new Uint8Array(), Uint8Array.of(3), piece.subarray(1)]),
    Uint8Array.of(1, 2, 3, 2),
  );
});
