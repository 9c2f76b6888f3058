import { withCache } from "../../../../auth/guards/cache/cache.ts";
import type { AuthProvider } from "../../../../auth/types.ts";
import { assertEquals } from "../../../support/assert.ts";
import type { Outcome } from "../../../support/asked_provider.ts";
import {
  AWAY,
  HOME,
  networkAt,
  newGuarded,
  OK,
  throttled,
} from "../../../support/guarded.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const EXPIRED: Outcome = ["authInvalid", "token-expired"];
const FORGED: Outcome = ["authInvalid", "token-signature"];

/** Checks tokens that say what they are. */
const tokens: AuthProvider = ({ password }) =>
  password.startsWith("good")
    ? { decision: "authOk", user: "ann" }
    : password.startsWith("old")
    ? { decision: "authInvalid", reason: "token-expired" }
    : { decision: "authInvalid", reason: "token-signature" };

Deno.test("withThrottle() counts no token that has only expired, with a cache inside or without", async () => {
  for (const provider of [tokens, withCache(tokens)]) {
    const { ask } = newGuarded({ pairLimit: 3 }, provider);
    for (let i = 0; i < 20; i++) {
      assertEquals(await ask("ann", `old ${i}`), EXPIRED);
      assertEquals(await ask("ann", `old ${i}`), EXPIRED);
    }
    assertEquals(await ask("ann", "good"), OK);
  }
});

Deno.test("withThrottle() counts a token with a bad signature as a guess", async () => {
  const { ask } = newGuarded({ pairLimit: 3 }, tokens);
  for (const n of [1, 2, 3]) assertEquals(await ask("ann", `${n}`), FORGED);
  assertEquals(await ask("ann", "good"), throttled("pair"));
  assertEquals(await ask("ann", "old"), throttled("pair"));
});

Deno.test("withThrottle() lets nobody lock those out who send a token without a name", async () => {
  const { ask } = newGuarded({}, tokens);
  // All the guesses but one that each of ten networks has.
  for (let i = 0; i < 990; i++) {
    assertEquals(await ask("", `${i}`, networkAt(i % 10)), FORGED);
  }
  assertEquals(await ask("", "good", AWAY), OK);
});

Deno.test("withThrottle() counts tokens without a name for their network", async () => {
  const { ask } = newGuarded({ networkLimit: 3 }, tokens);
  for (const n of [1, 1, 1, 2, 2, 3]) {
    assertEquals(await ask("", `${n}`, HOME), FORGED);
  }
  assertEquals(await ask("", "4", HOME), throttled("network"));
  assertEquals(await ask("", "4", AWAY), FORGED);
});
