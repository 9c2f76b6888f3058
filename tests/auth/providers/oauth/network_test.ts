// The same over a network, with the `fetch` that everybody has.

import { newOAuthProvider } from "../../../../oauth.ts";
import { assertEquals } from "../../../support/assert.ts";
import { newRequest } from "../../../support/auth_request.ts";
import { outcome } from "../../../support/oauth/checker.ts";
import {
  type ServedIssuer,
  serveTestIssuer,
} from "../../../../testing/served_issuer.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** Takes the tokens of an issuer, with the global `fetch`. */
function newAsk({ issuer }: ServedIssuer) {
  const provider = newOAuthProvider({
    issuer: issuer.url,
    audience: "smtp",
    claim: "email",
    clientId: issuer.clientId,
    clientSecret: issuer.clientSecret,
  });
  return (password: string) =>
    provider(newRequest({ username: "", password, mechanism: "OAUTHBEARER" }));
}

Deno.test("newOAuthProvider() takes tokens over a network, signed and opaque", async () => {
  await using served = await serveTestIssuer();
  const { issuer } = served;
  const ask = newAsk(served);
  issuer.opaque.set("0paque", issuer.claims());
  for (const token of [await issuer.token(), "0paque"]) {
    assertEquals(outcome(await ask(token)), "authOk");
  }
  assertEquals(outcome(await ask("revoked")), "authInvalid token-inactive");
});

Deno.test("newOAuthProvider() takes neither token nor secret to where it is sent", async () => {
  let visits = 0;
  await using elsewhere = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => {
      visits++;
      return Response.json({ active: true, email: "ann@example.com" });
    },
  );
  const location = `http://127.0.0.1:${elsewhere.addr.port}/`;
  for (const part of ["discovery", "keys", "introspection"] as const) {
    for (const status of [301, 302, 303, 307, 308]) {
      await using served = await serveTestIssuer();
      const { issuer } = served;
      const headers = { location };
      issuer.faults.set(part, () => new Response("x", { status, headers }));
      const token = part === "introspection" ? "0paque" : await issuer.token();
      assertEquals(await newAsk(served)(token), {
        decision: "authFailure",
        reason: "backend-redirect",
        detail: `${part}: ${status}`,
      });
    }
  }
  assertEquals(visits, 0);
});

Deno.test("newOAuthProvider() stops reading what is too long", async () => {
  await using served = await serveTestIssuer();
  served.issuer.faults.set("keys", "endless");
  const result = await newAsk(served)(await served.issuer.token());
  assertEquals(outcome(result), "authFailure backend-size");
});
