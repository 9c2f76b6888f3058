/**
 * What a login with a token costs beside one with a password: the AUTH line
 * decoded, throttle and cache asked, the reply made. "Checked" is without the
 * cache: the signature is verified each time.
 *
 * @module
 */

import { withCache } from "../../auth/guards/cache/cache.ts";
import { withThrottle } from "../../auth/guards/throttle/throttle.ts";
import { newStaticAuthProvider } from "../../auth/providers/static.ts";
import { KNOWN_MECHANISMS } from "../../auth/sasl/offer.ts";
import { finishSasl, startSasl } from "../../auth/sasl/sasl.ts";
import type { ReadyProvider } from "../../auth/types.ts";
import { newOAuthProvider } from "../../oauth.ts";
import { TestIssuer } from "../../testing/issuer.ts";

const mechanisms = KNOWN_MECHANISMS;

/** One login, from the line's argument to the reply's code. */
async function login(
  provider: ReadyProvider,
  mechanism: string,
  response: string,
): Promise<void> {
  const step = startSasl(mechanism, response, { mechanisms });
  if (step.kind !== "credentials") throw new Error(step.kind);
  const { username, password } = step;
  const where = { remoteIp: "192.0.2.7", heloName: "mail.example" };
  const request = { username, password, mechanism, ...where };
  const last = finishSasl(step, await provider(request), { mechanisms });
  if (last.kind !== "done" || last.reply.code !== 235) {
    throw new Error("refused");
  }
}

const guarded = (provider: ReadyProvider) => withThrottle(withCache(provider));
const passwords = newStaticAuthProvider({ "ann@example.com": "correct horse" });
const plain = btoa("\0ann@example.com\0correct horse");

const issuer = new TestIssuer();
const tokens = newOAuthProvider({
  issuer: issuer.url,
  audience: "smtp",
  claim: "email",
  fetch: issuer.fetch,
});

/**
 * The message of XOAUTH2. A real token has a page of groups and roles in it: 40
 * make about 1 KB, 350 make 6.
 */
async function bearer(
  alg: "ES256" | "RS256",
  length = 40,
): Promise<string> {
  const groups = Array.from({ length }, (_, i) => `group-${i}`);
  const token = await issuer.token({ groups }, { alg });
  return btoa(`user=ann@example.com\x01auth=Bearer ${token}\x01\x01`);
}

const group = { group: "login" };
const known = guarded(passwords);

Deno.bench("PLAIN, cached", { ...group, baseline: true }, async () => {
  await login(known, "PLAIN", plain);
});

for (const alg of ["ES256", "RS256"] as const) {
  const response = await bearer(alg);
  const cached = guarded(tokens);
  Deno.bench(`XOAUTH2, ${alg}, cached`, group, async () => {
    await login(cached, "XOAUTH2", response);
  });
  const checked = withThrottle(tokens);
  Deno.bench(`XOAUTH2, ${alg}, checked`, group, async () => {
    await login(checked, "XOAUTH2", response);
  });
}

const long = await bearer("ES256", 350);
const cached = guarded(tokens);
Deno.bench("XOAUTH2, ES256, 6 KB, cached", group, async () => {
  await login(cached, "XOAUTH2", long);
});
