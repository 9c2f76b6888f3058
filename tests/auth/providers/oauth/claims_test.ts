import { assertEquals } from "../../../support/assert.ts";
import { newChecker, outcome } from "../../../support/oauth/checker.ts";
import type { Claims } from "../../../../testing/issuer.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** What a token says otherwise than usual, and what comes of it. */
const ROWS: readonly (readonly [Claims, string])[] = [
  [{}, "authOk"],

  [{ iss: undefined }, "authInvalid token-issuer"],
  [{ iss: "https://issuer.test/realms/staff/" }, "authInvalid token-issuer"],
  [{ iss: "https://issuer.test/realms/STAFF" }, "authInvalid token-issuer"],
  [{ iss: ["https://issuer.test/realms/staff"] }, "authInvalid token-issuer"],

  [{ aud: ["account", "smtp"] }, "authOk"],
  [{ aud: undefined }, "authInvalid token-audience"],
  [{ aud: "account" }, "authInvalid token-audience"],
  [{ aud: "smtp2" }, "authInvalid token-audience"],
  [{ aud: "SMTP" }, "authInvalid token-audience"],
  [{ aud: ["account"] }, "authInvalid token-audience"],
  [{ aud: [] }, "authInvalid token-audience"],
  [{ aud: [["smtp"]] }, "authInvalid token-audience"],
  [{ aud: { smtp: "smtp" } }, "authInvalid token-audience"],

  [{ email_verified: undefined }, "authOk"],
  [{ email_verified: false }, "authInvalid token-claim"],
  [{ email_verified: "false" }, "authInvalid token-claim"],
  [{ email: "" }, "authInvalid token-claim"],
  [{ email: ["ann@example.com"] }, "authInvalid token-claim"],
  [{ email: "ann@example.com\r\n250 OK" }, "authInvalid token-claim"],
  [{ email: "ann\ud800@example.com" }, "authInvalid token-claim"],

  [{ typ: "Bearer" }, "authOk"],
  [{ typ: "ID" }, "authInvalid token-kind"],
  [{ at_hash: "77QmUPtjPfzWtF2AnpK9RQ" }, "authInvalid token-kind"],
  [{ cnf: { jkt: "0ZcOCORZNYy" } }, "authInvalid token-kind"],
  [{ cnf: {} }, "authInvalid token-kind"],

  [{ exp: undefined }, "authInvalid token-malformed"],
  [{ exp: "4102444800" }, "authInvalid token-malformed"],
  [{ exp: null }, "authInvalid token-malformed"],
  [{ nbf: "0" }, "authInvalid token-early"],
];

Deno.test("newOAuthProvider() judges a token by its claims", async () => {
  const { issuer, ask } = newChecker();
  for (const [changes, expected] of ROWS) {
    const result = await ask(await issuer.token(changes));
    assertEquals(outcome(result), expected, JSON.stringify(changes));
  }
  assertEquals(issuer.asked, ["discovery", "keys"]);
});

Deno.test("newOAuthProvider() gives clocks 60 s to differ, on either side", async () => {
  const { issuer, ask, now } = newChecker();
  const rows = [
    [{ exp: now() + 1 }, "authOk"],
    [{ exp: now() - 59 }, "authOk"],
    [{ exp: now() - 60 }, "authInvalid token-expired"],
    [{ exp: now() - 61 }, "authInvalid token-expired"],
    [{ nbf: now() - 1 }, "authOk"],
    [{ nbf: now() + 59 }, "authOk"],
    [{ nbf: now() + 60 }, "authOk"],
    [{ nbf: now() + 61 }, "authInvalid token-early"],
    // Who expects nothing of it need not look at it.
    [{ iat: now() + 600 }, "authOk"],
  ] as const;
  for (const [changes, expected] of rows) {
    const result = await ask(await issuer.token(changes));
    assertEquals(outcome(result), expected, JSON.stringify(changes));
  }
});

Deno.test("newOAuthProvider() wants its scope, in any form that issuers write", async () => {
  const { issuer, ask } = newChecker({ scope: "mail" });
  const rows = [
    [{}, "authOk"],
    [{ scope: "mail" }, "authOk"],
    [{ scope: undefined, scp: "openid mail" }, "authOk"],
    [{ scope: undefined, scp: ["openid", "mail"] }, "authOk"],
    [{ scope: "openid", scp: ["mail"] }, "authOk"],
    [{ scope: "openid email" }, "authInvalid token-scope"],
    [{ scope: "mail:read" }, "authInvalid token-scope"],
    [{ scope: "" }, "authInvalid token-scope"],
    [{ scope: { mail: true } }, "authInvalid token-scope"],
    [{ scope: undefined }, "authInvalid token-scope"],
  ] as const;
  for (const [changes, expected] of rows) {
    const result = await ask(await issuer.token(changes));
    assertEquals(outcome(result), expected, JSON.stringify(changes));
  }
});

Deno.test("newOAuthProvider() tells the client why, and the log what the token has", async () => {
  const { issuer, ask } = newChecker({ scope: "mail" });
  const openidConfiguration = `${issuer.url}/.well-known/openid-configuration`;
  assertEquals(await ask(await issuer.token({ scope: "openid" })), {
    decision: "authInvalid",
    reason: "token-scope",
    detail: 'scope "openid"',
    tokenError: {
      status: "insufficient_scope",
      scope: "mail",
      openidConfiguration,
    },
  });
  assertEquals(await ask(await issuer.token({ aud: ["account"] })), {
    decision: "authInvalid",
    reason: "token-audience",
    detail: 'aud ["account"]',
    tokenError: { status: "invalid_token", scope: "mail", openidConfiguration },
  });
  const { detail } = await ask(await issuer.token({ aud: "a".repeat(5000) }));
  assertEquals(detail?.length, 200);
});

Deno.test("newOAuthProvider() says who the user is, and until when", async () => {
  const { issuer, ask, now } = newChecker();
  assertEquals(await ask(await issuer.token()), {
    decision: "authOk",
    user: "ann@example.com",
    expiresAt: (now() + 3600) * 1000,
  });
  const forEver = await ask(await issuer.token({ exp: 1e300 }));
  assertEquals(forEver.decision, "authOk");
});

Deno.test("newOAuthProvider() takes the name that the claim has, or none", async () => {
  const { issuer, ask } = newChecker();
  const token = await issuer.token({ email: "ann@bücher.example" });
  const rows = [
    ["", "authOk"],
    ["ann@bücher.example", "authOk"],
    ["ann@BÜCHER.example", "authOk"],
    ["ann@xn--bcher-kva.EXAMPLE", "authOk"],
    ["Ann@bücher.example", "authInvalid token-user"],
    ["ann", "authInvalid token-user"],
    ["bob@bücher.example", "authInvalid token-user"],
    ["ann@bücher.example.org", "authInvalid token-user"],
    ["@bücher.example", "authInvalid token-user"],
  ] as const;
  for (const [username, expected] of rows) {
    assertEquals(outcome(await ask(token, username)), expected, username);
  }
});

Deno.test("newOAuthProvider() reads the claim that it is told to, and no member of every object", async () => {
  const rows = [
    ["sub", "5f3c1a"],
    ["preferred_username", "ann"],
    // These would be found in any object whatever its token says.
    ["constructor", "thunderbird"],
    ["__proto__", "thunderbird"],
  ] as const;
  for (const [claim, user] of rows) {
    const { issuer, ask } = newChecker({ claim });
    const result = await ask(
      await issuer.token({ preferred_username: "ann", email: undefined }),
    );
    assertEquals(result.decision === "authOk" && result.user, user, claim);
  }
});

Deno.test("newOAuthProvider() takes a token that is no person's for its client's", async () => {
  const { issuer, ask } = newChecker();
  const service = { email: undefined, email_verified: false };
  const rows = [
    [{ ...service, client_id: "backup", azp: "other" }, "", "backup"],
    [{ ...service, azp: "backup" }, "backup", "backup"],
    [{ ...service, azp: "backup" }, "printer", "token-user"],
    [{ ...service, azp: undefined }, "", "token-claim"],
    // A person's, whom the issuer does not name.
    [{ ...service, sid: "1" }, "", "token-claim"],
    [{ ...service, auth_time: 1 }, "", "token-claim"],
  ] as const;
  for (const [changes, username, expected] of rows) {
    const result = await ask(await issuer.token(changes), username);
    const got = result.decision === "authOk" ? result.user : result.reason;
    assertEquals(got, expected, JSON.stringify(changes));
  }
});

Deno.test("newOAuthProvider() calls a token expired that is nothing worse", async () => {
  const { issuer, ask, now } = newChecker({ scope: "mail" });
  const exp = now() - 3600;
  const rows = [
    [{}, "", "token-expired"],
    [{}, "ann@example.com", "token-expired"],
    [{}, "bob@example.com", "token-user"],
    [{ aud: "account" }, "", "token-audience"],
    [{ scope: "openid" }, "", "token-scope"],
    [{ email_verified: false }, "", "token-claim"],
    [{ typ: "ID" }, "", "token-kind"],
  ] as const;
  for (const [changes, username, expected] of rows) {
    const { reason } = await ask(
      await issuer.token({ exp, ...changes }),
      username,
    );
    assertEquals(reason, expected, JSON.stringify(changes));
  }
});
