import { newGuessHash } from "../../../../auth/guards/throttle/guess_hash.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
} from "../../../support/assert.ts";

const secret = new Uint8Array(32).fill(1);
const otherSecret = new Uint8Array(32).fill(2);
const GUESSES = ["1", "2", "3", "canary", "", "\ud800"] as const;

Deno.test("newGuessHash() makes 20 bits, the same for the same key, user and guess", async () => {
  const hash = newGuessHash(() => Promise.resolve(secret));
  const again = newGuessHash(() => Promise.resolve(secret));
  for (const guess of GUESSES) {
    const bits = await hash("ann", guess);
    assert(Number.isInteger(bits) && bits >= 0 && bits < 2 ** 20);
    assertEquals(await again("ann", guess), bits);
    assertNotEquals(await hash("bob", guess), bits);
  }
  const all = await Promise.all(GUESSES.map((guess) => hash("ann", guess)));
  assertEquals(new Set(all).size, GUESSES.length);
});

Deno.test("newGuessHash() makes others under another key, also when the key changes", async () => {
  let current = secret;
  const hash = newGuessHash(() => Promise.resolve(current));
  const other = newGuessHash(() => Promise.resolve(otherSecret));
  const before = await hash("ann", "canary");
  assertNotEquals(await other("ann", "canary"), before);
  current = otherSecret;
  assertEquals(await hash("ann", "canary"), await other("ann", "canary"));
  current = secret;
  assertEquals(await hash("ann", "canary"), before);
});

Deno.test("newGuessHash() uses all 20 bits", async () => {
  const hash = newGuessHash(() => Promise.resolve(secret));
  let ones = 0;
  let zeros = 0;
  for (let i = 0; i < 200; i++) {
    const bits = await hash("ann", `${i}`);
    ones |= bits;
    zeros |= ~bits;
  }
  assertEquals([ones, zeros & 0xfffff], [0xfffff, 0xfffff]);
});
