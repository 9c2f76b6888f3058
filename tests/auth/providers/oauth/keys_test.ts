import type { Fault } from "../../../../testing/faults.ts";
import { assertEquals } from "../../../support/assert.ts";
import { newClock, workedOff } from "../../../support/clock.ts";
import { newChecker, outcome } from "../../../support/oauth/checker.ts";
import { newSigningKey, writeJws } from "../../../../testing/signer.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** A token that a stranger has signed with a key of any name. */
async function forged(claims: object, kid: string): Promise<string> {
  const { alg, sign } = await newSigningKey("EdDSA", kid);
  return await writeJws({ alg, kid }, claims, sign);
}

Deno.test("newOAuthProvider() fetches keys once for all", async () => {
  const { issuer, ask } = newChecker();
  const tokens = await Promise.all(
    Array.from({ length: 50 }, () => issuer.token()),
  );
  const results = await Promise.all(tokens.map((token) => ask(token)));
  assertEquals(new Set(results.map(({ decision }) => decision)).size, 1);
  assertEquals(issuer.asked, ["discovery", "keys"]);
});

Deno.test("newOAuthProvider() follows a rotation at once, and forgets what is withdrawn", async () => {
  const { issuer, ask } = newChecker();
  const before = await issuer.token();
  assertEquals((await ask(before)).decision, "authOk");
  issuer.rotate();
  const after = await issuer.token();
  assertEquals((await ask(after)).decision, "authOk");
  assertEquals(issuer.count("keys"), 2);
  assertEquals(outcome(await ask(before)), "authInvalid token-key");
  assertEquals(issuer.count("keys"), 2);
});

Deno.test("newOAuthProvider() is driven to one refetch in 300 s by strangers' tokens", async () => {
  const { issuer, ask, wind } = newChecker();
  assertEquals((await ask(await issuer.token())).decision, "authOk");
  assertEquals(issuer.count("keys"), 1);
  for (const [seconds, expected] of [[0, 2], [299.9, 2], [0.1, 3]] as const) {
    wind(seconds);
    for (let i = 0; i < 5; i++) {
      const tokens = await Promise.all(
        [1, 2, 3, 4].map((n) => forged(issuer.claims(), `${i}-${n}`)),
      );
      for (const result of await Promise.all(tokens.map((each) => ask(each)))) {
        assertEquals(outcome(result), "authInvalid token-key");
      }
    }
    assertEquals(issuer.count("keys"), expected, `${seconds}`);
  }
  assertEquals(issuer.count("discovery"), 1);
});

Deno.test("newOAuthProvider() keeps the keys while they cannot be fetched again", async () => {
  const { issuer, ask, wind } = newChecker();
  assertEquals((await ask(await issuer.token())).decision, "authOk");
  issuer.break("500");
  for (const hours of [1, 24, 240]) {
    wind(hours * 3600);
    assertEquals((await ask(await issuer.token())).decision, "authOk");
  }
  // Each hour's first token has tried to get newer ones.
  assertEquals(issuer.count("keys") + issuer.count("discovery"), 2 + 2 * 3);
});

Deno.test("newOAuthProvider() is held up by a silent issuer for a second, once in 300 s", async () => {
  using clock = newClock();
  const { issuer, ask, wind } = newChecker();
  const token = await issuer.token();
  assertEquals((await workedOff(clock, ask(token))).decision, "authOk");
  wind(3600);
  const later = await issuer.token();
  issuer.break("hang");
  for (const expected of [1000, 0]) {
    const began = clock.now();
    const asked = ask(later);
    if (expected > 0) {
      // The two waits, and the time of the request that is under way.
      await clock.hasTimers(3);
      clock.wind(expected);
    }
    assertEquals((await asked).decision, "authOk");
    assertEquals(clock.now() - began, expected);
  }
});

Deno.test("newOAuthProvider() can't tell about a new key while the issuer is down", async () => {
  const { issuer, ask, wind } = newChecker();
  const before = await issuer.token();
  assertEquals((await ask(before)).decision, "authOk");
  issuer.rotate();
  const after = await issuer.token();
  issuer.faults.set("keys", "500");
  for (let i = 0; i < 3; i++) {
    assertEquals(outcome(await ask(after)), "authFailure backend-status");
    assertEquals((await ask(before)).decision, "authOk");
  }
  assertEquals(issuer.count("keys"), 2);
  issuer.break("none");
  assertEquals(outcome(await ask(after)), "authFailure backend-status");
  assertEquals(issuer.count("keys"), 2);
  wind(300);
  assertEquals((await ask(after)).decision, "authOk");
  assertEquals(issuer.count("keys"), 3);
});

Deno.test("newOAuthProvider() keeps the keys of an endpoint that flaps", async () => {
  const { issuer, ask, wind } = newChecker();
  assertEquals((await ask(await issuer.token())).decision, "authOk");
  const bad: readonly Fault[] = [
    "500",
    "HTML",
    "endless",
    "redirect",
    () => Response.json({ keys: [] }),
  ];
  for (const fault of bad) {
    wind(3600);
    issuer.faults.set("keys", fault);
    const stranger = await forged(issuer.claims(), "mine");
    assertEquals((await ask(stranger)).decision, "authFailure");
    assertEquals((await ask(await issuer.token())).decision, "authOk");
    issuer.faults.delete("keys");
  }
});

Deno.test("newOAuthProvider() takes a withdrawn key for an hour at most", async () => {
  const { issuer, ask, wind } = newChecker();
  const exp = issuer.claims().iat;
  const lasting = { exp: Number(exp) + 86_400 };
  const token = await issuer.token(lasting);
  assertEquals((await ask(token)).decision, "authOk");
  issuer.rotate();
  wind(3599);
  assertEquals((await ask(token)).decision, "authOk");
  wind(1);
  assertEquals(outcome(await ask(token)), "authInvalid token-key");
  assertEquals(issuer.count("keys"), 2);
});

Deno.test("newOAuthProvider() works on when the clock is set back", async () => {
  const { issuer, ask, wind } = newChecker();
  assertEquals((await ask(await issuer.token())).decision, "authOk");
  wind(-86_400);
  assertEquals((await ask(await issuer.token())).decision, "authOk");
  const stranger = await forged(issuer.claims(), "mine");
  for (let i = 0; i < 5; i++) {
    assertEquals(outcome(await ask(stranger)), "authInvalid token-key");
  }
  assertEquals(issuer.count("keys"), 2);
});
