import { isSameSecret, noSecret, padSecret } from "../../lib/constant_time.ts";
import { assertEquals } from "../support/assert.ts";

const TEXTS = ["", "a", "b", "ab", "abab", "aba", "ä", "a\0", "known-to-both"];

Deno.test("isSameSecret() is true for the secret itself only", () => {
  for (const secret of TEXTS) {
    for (const size of [undefined, 1, 4, 64]) {
      const padded = padSecret(secret, size);
      for (const guess of TEXTS) {
        assertEquals(isSameSecret(guess, padded), guess === secret);
      }
    }
  }
});

Deno.test("isSameSecret() takes no guess where there is no secret", () => {
  for (const guess of ["", "\0", "\0\0\0\0", "a"]) {
    assertEquals(isSameSecret(guess, noSecret()), false);
    assertEquals(isSameSecret(guess, noSecret(4)), false);
  }
});
