import { concat, gather } from "../../lib/octets.ts";
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

Deno.test("gather() puts pieces behind one another where there is room, and copies none alone", () => {
  const place = new Uint8Array(4);
  const [first, second] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
  const both = gather([first, second], place);
  assertEquals(both, Uint8Array.of(1, 2, 3));
  assert(both.buffer === place.buffer);
  assert(gather([first], place) === first);
  assertEquals(gather([], place), new Uint8Array());
  const large = gather([first, second, first], place);
  assertEquals(large, Uint8Array.of(1, 2, 3, 1, 2));
  assert(large.buffer !== place.buffer);
});
