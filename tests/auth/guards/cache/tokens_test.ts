import { withCache } from "../../../../auth/guards/cache/cache.ts";
import { newOAuthProvider } from "../../../../oauth.ts";
import type { AuthProvider, AuthResult } from "../../../../auth/types.ts";
import { assertEquals } from "../../../support/assert.ts";
import { newRequest } from "../../../support/auth_request.ts";
import { TestIssuer } from "../../../../testing/issuer.ts";
import { outcome } from "../../../support/oauth/checker.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** An issuer, a cache before it, and their time. */
function newCached(times: { ttlMs: number; graceMs: number }) {
  let time = Date.UTC(2026, 0, 1);
  const now = () => time;
  const issuer = new TestIssuer({ now });
  const provider = withCache(
    newOAuthProvider({
      issuer: issuer.url,
      audience: "smtp",
      claim: "email",
      introspection: true,
      clientId: issuer.clientId,
      clientSecret: issuer.clientSecret,
      fetch: issuer.fetch,
      now,
    }),
    { ...times, now },
  );
  const ask = (password: string, username = ""): Promise<AuthResult> =>
    provider(newRequest({ username, password, mechanism: "OAUTHBEARER" }));
  const wind = (seconds: number) => time += seconds * 1000;
  return { issuer, ask, wind };
}

Deno.test("withCache() keeps a token's yes until it expires", async () => {
  const { issuer, ask, wind } = newCached({ ttlMs: 7_200_000, graceMs: 0 });
  issuer.opaque.set("0paque", issuer.claims());
  assertEquals(outcome(await ask("0paque")), "authOk");
  wind(3599);
  assertEquals(outcome(await ask("0paque")), "authOk cached");
  assertEquals(issuer.count("introspection"), 1);
  wind(1);
  // Within the minute that clocks may differ: good, but asked about each time.
  assertEquals(outcome(await ask("0paque")), "authOk");
  assertEquals(outcome(await ask("0paque")), "authOk");
  assertEquals(issuer.count("introspection"), 3);
  wind(60);
  assertEquals(outcome(await ask("0paque")), "authInvalid token-expired");
});

Deno.test("withCache() keeps a revoked token's yes for its own time at most", async () => {
  const { issuer, ask, wind } = newCached({ ttlMs: 60_000, graceMs: 600_000 });
  issuer.opaque.set("0paque", issuer.claims());
  assertEquals(outcome(await ask("0paque")), "authOk");
  issuer.opaque.delete("0paque");
  wind(59);
  assertEquals(outcome(await ask("0paque")), "authOk cached");
  wind(1);
  assertEquals(outcome(await ask("0paque")), "authInvalid token-inactive");
});

Deno.test("withCache() carries tokens through an outage, and none beyond its end", async () => {
  const times = { ttlMs: 60_000, graceMs: 86_400_000 };
  const { issuer, ask, wind } = newCached(times);
  issuer.opaque.set("0paque", issuer.claims());
  assertEquals(outcome(await ask("0paque")), "authOk");
  issuer.break("500");
  wind(3599);
  assertEquals(outcome(await ask("0paque")), "authOk cached-through-outage");
  wind(1);
  assertEquals(outcome(await ask("0paque")), "authFailure backend-status");
});

Deno.test("withCache() does not remember that a token has expired", async () => {
  const asked: string[] = [];
  const provider = withCache(({ password }) => {
    asked.push(password);
    return password === "old"
      ? { decision: "authInvalid", reason: "token-expired" }
      : "authOk";
  });
  const ask = (password: string) =>
    provider(newRequest({ password, mechanism: "XOAUTH2" }));
  assertEquals(outcome(await ask("new")), "authOk");
  for (let i = 0; i < 2; i++) {
    assertEquals(outcome(await ask("old")), "authInvalid token-expired");
  }
  assertEquals(outcome(await ask("new")), "authOk cached");
  assertEquals(asked, ["new", "old", "old"]);
});

Deno.test("withCache() keeps all whose tokens come without a name", async () => {
  const good = new Set<string>();
  const provider: AuthProvider = ({ password }) =>
    good.has(password)
      ? { decision: "authOk", user: `owner of ${password}` }
      : "authInvalid";
  const cached = withCache(provider);
  const ask = (password: string) =>
    cached(newRequest({ username: "", password, mechanism: "OAUTHBEARER" }));
  const tokens = Array.from({ length: 100 }, (_, i) => `token ${i}`);
  for (const token of tokens) {
    good.add(token);
    assertEquals(outcome(await ask(token)), "authOk");
  }
  assertEquals(outcome(await ask("forged")), "authInvalid");
  for (const token of tokens) {
    assertEquals(outcome(await ask(token)), "authOk cached");
  }
});
