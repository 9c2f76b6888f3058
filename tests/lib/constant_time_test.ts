import { isSameSecret } from "../../lib/constant_time.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("isSameSecret() is true for the secret itself only", () => {
  const secrets = ["", "a", "b", "ab", "abab", "aba", "ä", "known-to-both"];
  for (const secret of secrets) {
    for (const guess of secrets) {
      assertEquals(isSameSecret(guess, secret), guess === secret);
    }
  }
});
