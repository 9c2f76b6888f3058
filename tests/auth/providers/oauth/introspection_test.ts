import { assert, assertEquals, assertFalse } from "../../../support/assert.ts";
import { newChecker, outcome } from "../../../support/oauth/checker.ts";
import type { Claims } from "../../../../testing/issuer.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const CLIENT = { clientId: "mail server", clientSecret: "s3cret: ä" };

Deno.test("newOAuthProvider() asks the issuer about a token that is no JWT", async () => {
  const { issuer, ask, now } = newChecker(CLIENT);
  issuer.opaque.set("0paque", issuer.claims());
  assertEquals(await ask("0paque", "ann@example.com"), {
    decision: "authOk",
    user: "ann@example.com",
    expiresAt: (now() + 3600) * 1000,
  });
  assertEquals(issuer.asked, ["discovery", "introspection"]);
  assertEquals((await ask(await issuer.token())).decision, "authOk");
  assertEquals(issuer.asked.slice(2), ["keys"]);
  assertEquals(await ask("unknown"), {
    decision: "authInvalid",
    reason: "token-inactive",
    tokenError: {
      status: "invalid_token",
      openidConfiguration: `${issuer.url}/.well-known/openid-configuration`,
    },
  });
});

Deno.test("newOAuthProvider() asks about every token where it is told to", async () => {
  const { issuer, ask } = newChecker({ ...CLIENT, introspection: true });
  const token = await issuer.token();
  issuer.opaque.set(token, issuer.claims());
  assertEquals((await ask(token)).decision, "authOk");
  issuer.opaque.delete(token); // it is revoked
  assertEquals(outcome(await ask(token)), "authInvalid token-inactive");
  assertEquals(issuer.asked, ["discovery", "introspection", "introspection"]);
});

Deno.test("newOAuthProvider() asks where it is told to, and then needs no metadata", async () => {
  for (const url of ["https://issuer.test/realms/staff/introspect"]) {
    for (const introspection of [url, new URL(url)]) {
      const { issuer, ask } = newChecker({ ...CLIENT, introspection });
      issuer.opaque.set("0paque", issuer.claims());
      assertEquals((await ask("0paque")).decision, "authOk");
      assertEquals(issuer.asked, ["introspection"]);
    }
  }
});

/** What the issuer tells, and what comes of it. */
const ROWS: readonly (readonly [Claims, string])[] = [
  [{}, "authOk"],
  // It has looked at these itself, and need not repeat them.
  [{ iss: undefined, aud: undefined, exp: undefined }, "authOk"],
  [{ iss: undefined, aud: undefined }, "authOk"],
  [{ exp: undefined }, "authOk"],
  // Some write each member that there is, whether they know it or not.
  [{ iss: null, aud: null, exp: null, nbf: null, cnf: null }, "authOk"],
  [{ email_verified: null, at_hash: null }, "authOk"],
  // Doorkeeper, of a token that never ends.
  [{ exp: 0 }, "authOk"],
  // But where it repeats the token, it has not.
  [{ aud: undefined }, "authInvalid token-audience"],
  [{ aud: null }, "authInvalid token-audience"],
  [{ scope: null }, "authInvalid token-scope"],
  [{ active: null }, "authFailure backend-answer"],
  [{ iss: "https://elsewhere.test" }, "authInvalid token-issuer"],
  [{ aud: "account" }, "authInvalid token-audience"],
  [{ aud: [] }, "authInvalid token-audience"],
  [{ exp: 1 }, "authInvalid token-expired"],
  [{ exp: "1" }, "authInvalid token-malformed"],
  [{ nbf: 4_102_444_800 }, "authInvalid token-early"],
  [{ scope: "openid" }, "authInvalid token-scope"],
  [{ email_verified: false }, "authInvalid token-claim"],
  [{ email: undefined, username: "ann", sid: "1" }, "authInvalid token-claim"],
  [{ cnf: { jkt: "0ZcOCORZNYy" } }, "authInvalid token-kind"],
  [{ active: false }, "authInvalid token-inactive"],
  [{ active: "true" }, "authFailure backend-answer"],
  [{ active: undefined }, "authFailure backend-answer"],
];

Deno.test("newOAuthProvider() judges what the issuer tells like what it signs", async () => {
  const { issuer, ask } = newChecker({ ...CLIENT, scope: "mail" });
  for (const [changes, expected] of ROWS) {
    issuer.opaque.set("0paque", issuer.claims(changes));
    const result = await ask("0paque");
    assertEquals(outcome(result), expected, JSON.stringify(changes));
  }
});

Deno.test("newOAuthProvider() gives a token no end that the issuer does not tell", async () => {
  const { issuer, ask } = newChecker(CLIENT);
  for (const exp of [0, null, undefined]) {
    issuer.opaque.set("0paque", issuer.claims({ exp }));
    assertEquals(await ask("0paque"), {
      decision: "authOk",
      user: "ann@example.com",
    });
  }
});

Deno.test("newOAuthProvider() blames nobody's token for our own secret", async () => {
  const { issuer, ask } = newChecker({ ...CLIENT, clientSecret: "old" });
  issuer.opaque.set("0paque", issuer.claims());
  for (const token of ["0paque", "unknown"]) {
    assertEquals(await ask(token), {
      decision: "authFailure",
      reason: "backend-token",
      detail: "introspection: 401",
    });
  }
});

Deno.test("newOAuthProvider() takes a secret that is renewed", async () => {
  let secret = "old";
  const { issuer, ask } = newChecker({ ...CLIENT, clientSecret: () => secret });
  issuer.opaque.set("0paque", issuer.claims());
  assertEquals((await ask("0paque")).decision, "authFailure");
  secret = CLIENT.clientSecret;
  assertEquals((await ask("0paque")).decision, "authOk");
});

Deno.test("newOAuthProvider() can't tell about a token where the issuer has nobody to ask", async () => {
  const { issuer, ask } = newChecker(CLIENT);
  issuer.metadata = { introspection_endpoint: undefined };
  const result = await ask("0paque");
  assertEquals(outcome(result), "authFailure backend-answer");
  assertEquals(result.detail, "discovery: introspection_endpoint");
});

Deno.test("newOAuthProvider() sends tokens and secrets where nobody reads them", async () => {
  const seen: Request[] = [];
  const bodies: string[] = [];
  const { ask } = newChecker({
    ...CLIENT,
    introspection: "https://issuer.test/introspect?realm=staff",
    fetch: async (input, init) => {
      const request = new Request(input, init);
      seen.push(request);
      bodies.push(await request.text());
      return Response.json({ active: false });
    },
  });
  await ask("to/ken+1==");
  const [request] = seen;
  assert(request !== undefined);
  assertEquals(request.url, "https://issuer.test/introspect?realm=staff");
  assertEquals(request.method, "POST");
  assertEquals(request.redirect, "manual");
  assertEquals(
    request.headers.get("content-type"),
    "application/x-www-form-urlencoded;charset=UTF-8",
  );
  assertEquals(request.headers.get("accept"), "application/json");
  assertEquals(
    request.headers.get("authorization"),
    `Basic ${btoa("mail+server:s3cret%3A+%C3%A4")}`,
  );
  assertEquals(bodies, [
    "token=to%2Fken%2B1%3D%3D&token_type_hint=access_token",
  ]);
});

Deno.test("newOAuthProvider() stops asking for who has gone", async () => {
  const { promise, resolve } = Promise.withResolvers<AbortSignal>();
  const { ask } = newChecker({
    ...CLIENT,
    introspection: true,
    fetch: (input, init) => {
      if (String(input).endsWith("configuration")) {
        return Promise.resolve(Response.json({
          issuer: "https://issuer.test/realms/staff",
          introspection_endpoint: "https://issuer.test/introspect",
        }));
      }
      assert(init?.signal);
      resolve(init.signal);
      return new Promise(() => {});
    },
  });
  const gone = new AbortController();
  const asked = ask("0paque", "", gone.signal);
  const signal = await promise;
  assertFalse(signal.aborted);
  gone.abort();
  assertEquals(outcome(await asked), "authFailure client-gone");
  assert(signal.aborted);
});
