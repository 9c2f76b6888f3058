import {
  newOAuthProvider,
  type OAuthProviderOptions,
} from "../../../../oauth.ts";
import {
  assertEquals,
  assertFalse,
  assertThrows,
} from "../../../support/assert.ts";

const GOOD = {
  issuer: "https://issuer.test",
  audience: "smtp",
  claim: "email",
} as const;

Deno.test("newOAuthProvider() takes issuers that nobody listens to on the way", () => {
  const issuers = [
    "https://issuer.test",
    "https://issuer.test/",
    "https://issuer.test:8443/realms/staff",
    "http://localhost:8080/realms/staff",
    "http://127.0.0.1:8080",
    "http://[::1]:8080",
  ];
  for (const issuer of issuers) newOAuthProvider({ ...GOOD, issuer });
});

Deno.test("newOAuthProvider() refuses options that make no sense, and says why", () => {
  const rows: readonly (readonly [object, string])[] = [
    [{ issuer: "http://issuer.test" }, "issuer must be an https: URL"],
    [{ issuer: "issuer.test" }, "issuer must be an https: URL"],
    [{ issuer: "https://issuer.test/?realm=1" }, "without ? and #"],
    [{ issuer: "https://me:pass@issuer.test" }, "issuer must be an https: URL"],
    [{ issuer: new URL("https://issuer.test") }, "got an object"],
    [{ issuer: undefined }, "got undefined"],
    [{ audience: undefined }, "audience must be a string"],
    [{ audience: "" }, "got an empty string"],
    [{ claim: undefined }, "claim must be a string"],
    [{ scope: "openid mail" }, "scope must be one scope"],
    [{ introspection: true }, "introspection needs clientId and clientSecret"],
    [{ introspection: "http://issuer.test/i" }, "introspection must be true"],
    [{ clientId: "me" }, "clientId and clientSecret must come together"],
    [{ clientSecret: "x" }, "clientId and clientSecret must come together"],
    [{ clientId: "me", clientSecret: "" }, "clientSecret must be a string"],
    [{ fetch: "fetch" }, "fetch must be a function"],
    [{ audiance: "smtp" }, "got audiance"],
  ];
  for (const [changes, words] of rows) {
    const options: OAuthProviderOptions = { ...GOOD, ...changes };
    const error = assertThrows(
      () => newOAuthProvider(options),
      TypeError,
      "Cannot create OAuth provider: ",
    );
    assertEquals(error.message.includes(words), true, error.message);
    assertFalse(error.message.includes("pass"), error.message);
  }
});
