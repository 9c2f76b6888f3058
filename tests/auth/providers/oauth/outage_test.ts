import { assertEquals } from "../../../support/assert.ts";
import { newClock, workedOff } from "../../../support/clock.ts";
import { newChecker, outcome } from "../../../support/oauth/checker.ts";

Deno.test.sanitizer({ ops: true, resources: true });

/** What is broken, and what the log reads of it behind the name of the part. */
const ROWS = [
  ["refused", "backend-unreachable", ": refused"],
  ["hang", "backend-timeout", ""],
  ["500", "backend-status", ": 500"],
  ["HTML", "backend-answer", ": not a JSON object"],
  ["not ours", "backend-answer", ": not a JSON object"],
  ["redirect", "backend-redirect", ": 302"],
  ["endless", "backend-size", ""],
  ["reset in body", "backend-unreachable", ": reset"],
] as const;

const PARTS = ["discovery", "keys", "introspection"] as const;

Deno.test("newOAuthProvider() takes no fault of the issuer's for one of a token's", async () => {
  for (const part of PARTS) {
    for (const [fault, reason, rest] of ROWS) {
      using clock = newClock();
      const { issuer, ask } = newChecker(
        part === "introspection"
          ? { clientId: "mail server", clientSecret: "s3cret: ä" }
          : {},
      );
      issuer.faults.set(part, fault);
      const token = part === "introspection" ? "opaque" : await issuer.token();
      assertEquals(await workedOff(clock, ask(token)), {
        decision: "authFailure",
        reason,
        detail: part + rest,
      });
    }
  }
});

Deno.test("newOAuthProvider() waits for an issuer for 4 s and no longer", async () => {
  using clock = newClock();
  const { issuer, ask } = newChecker();
  const token = await issuer.token();
  issuer.break("hang");
  const began = clock.now();
  await workedOff(clock, ask(token));
  assertEquals(clock.now() - began, 4000);
});

Deno.test("newOAuthProvider() reads metadata of its issuer only", async () => {
  const rows = [
    [{ issuer: "https://issuer.test/realms/staff/" }, "issuer.test"],
    [{ issuer: "https://elsewhere.test" }, "elsewhere.test"],
    [{ issuer: undefined }, "null"],
    [{ jwks_uri: undefined }, "jwks_uri"],
    [{ jwks_uri: "http://issuer.test/keys" }, "jwks_uri"],
    [{ jwks_uri: "https://me:secret@issuer.test/keys" }, "jwks_uri"],
    [{ jwks_uri: "file:///etc/passwd" }, "jwks_uri"],
    [{ jwks_uri: ["https://issuer.test/keys"] }, "jwks_uri"],
  ] as const;
  for (const [metadata, word] of rows) {
    const { issuer, ask } = newChecker();
    issuer.metadata = metadata;
    const result = await ask(await issuer.token());
    assertEquals(outcome(result), "authFailure backend-answer");
    assertEquals(result.detail?.startsWith("discovery: "), true);
    assertEquals(result.detail?.includes(word), true, result.detail);
    assertEquals(issuer.count("keys"), 0);
  }
});

Deno.test("newOAuthProvider() finds metadata where RFC 8414 has them", async () => {
  const { issuer, ask } = newChecker();
  const wanted: string[] = [];
  const { fetch } = newRFC8414(issuer, wanted);
  const other = newChecker({ issuer: issuer.url, fetch });
  // The same clock, and the same issuer but for where its metadata are.
  assertEquals((await other.ask(await issuer.token())).decision, "authOk");
  assertEquals(wanted, [
    "https://issuer.test/realms/staff/.well-known/openid-configuration",
    "https://issuer.test/.well-known/oauth-authorization-server/realms/staff",
    "https://issuer.test/realms/staff/keys",
  ]);
  assertEquals((await ask("opaque")).decision, "authInvalid");
});

/** An issuer that knows nothing of OpenID Connect. */
function newRFC8414(
  issuer: ReturnType<typeof newChecker>["issuer"],
  wanted: string[],
): { fetch: typeof fetch } {
  const oidc = `${issuer.url}/.well-known/openid-configuration`;
  return {
    fetch: (input, init) => {
      const url = String(input);
      wanted.push(url);
      if (url === oidc) {
        return Promise.resolve(new Response("not here", { status: 404 }));
      }
      return issuer.fetch(
        url.includes("oauth-authorization") ? oidc : url,
        init,
      );
    },
  };
}

Deno.test("newOAuthProvider() calls a key set without keys no answer", async () => {
  const sets = [{ keys: [] }, {}, { keys: {} }, { keys: [1, "RSA", null, {}] }];
  for (const set of sets) {
    const { issuer, ask } = newChecker();
    issuer.faults.set("keys", () => Response.json(set));
    const result = await ask(await issuer.token());
    assertEquals(outcome(result), "authFailure backend-answer");
    assertEquals(result.detail, "keys: there are none");
  }
});

Deno.test("newOAuthProvider() passes over keys that it does not understand", async () => {
  const { issuer, ask } = newChecker();
  const { jwk } = await issuer.key();
  const keys = [{ kty: "LATTICE", kid: "1" }, null, { kid: "2" }, jwk];
  issuer.faults.set("keys", () => Response.json({ keys }));
  assertEquals((await ask(await issuer.token())).decision, "authOk");
});

Deno.test("newOAuthProvider() takes a published key with members that say nothing", async () => {
  const blanks = {
    ...{ use: null, alg: null, ext: null, crv: null, x5c: null, d: null },
    ...{ key_ops: [], oth: null },
  };
  const rows:
    readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [blanks, "authOk"],
      [{ key_ops: null }, "authOk"],
      [{ key_ops: ["verify"] }, "authOk"],
      [{ key_ops: ["sign", "verify"] }, "authOk"],
      // These do say something.
      [{ key_ops: ["sign"] }, "authInvalid token-key"],
      [{ key_ops: ["encrypt"] }, "authInvalid token-key"],
      [{ use: "enc" }, "authInvalid token-key"],
      [{ alg: "RS512" }, "authInvalid token-key"],
    ];
  for (const [members, expected] of rows) {
    const { issuer, ask } = newChecker();
    const { jwk } = await issuer.key("RS256");
    const key = { ...jwk, ...members };
    issuer.faults.set("keys", () => Response.json({ keys: [key] }));
    const result = await ask(await issuer.token({}, { alg: "RS256" }));
    assertEquals(outcome(result), expected, JSON.stringify(members));
  }
});

Deno.test("newOAuthProvider() blames a key that is too short on the issuer", async () => {
  const { issuer, ask } = newChecker();
  const { jwk } = await issuer.key("RS256");
  const n = jwk.n?.slice(0, 171); // 1024 bits
  issuer.faults.set("keys", () => Response.json({ keys: [{ ...jwk, n }] }));
  const result = await ask(await issuer.token({}, { alg: "RS256" }));
  assertEquals(outcome(result), "authFailure backend-answer");
  assertEquals(result.detail, "keys: the token's cannot be used");
});

/** What an issuer has left out or has wrong, for how long that counts. */
const MENDED = [
  ["jwks_uri", "discovery", "authOk"],
  ["introspection_endpoint", "discovery", "authInvalid token-inactive"],
  ["keys", "keys", "authOk"],
] as const;

Deno.test("newOAuthProvider() looks whether an issuer has mended what it has published, at once and then once in 300 s", async () => {
  for (const [part, document, after] of MENDED) {
    using clock = newClock();
    const { issuer, ask, wind } = newChecker({
      clientId: "mail server",
      clientSecret: "s3cret: ä",
    });
    const isOpaque = part === "introspection_endpoint";
    const token = isOpaque
      ? "opaque"
      : await issuer.token({}, { alg: part === "keys" ? "RS256" : "ES256" });
    const asked = async () => outcome(await workedOff(clock, ask(token)));
    issuer.metadata = { [part]: undefined };
    if (part === "keys") {
      const { jwk } = await issuer.key("RS256");
      const n = jwk.n?.slice(0, 171); // 1024 bits
      issuer.faults.set("keys", () => Response.json({ keys: [{ ...jwk, n }] }));
    }
    assertEquals(await asked(), "authFailure backend-answer", part);
    assertEquals(issuer.count(document), 2, part);
    issuer.metadata = {};
    issuer.faults.clear();
    assertEquals(await asked(), "authFailure backend-answer", part);
    wind(300);
    assertEquals(await asked(), after, part);
    assertEquals(issuer.count(document), 3, part);
  }
});

Deno.test("newOAuthProvider() can be made while the issuer is down, and works once it is up", async () => {
  using clock = newClock();
  const { issuer, ask } = newChecker();
  const token = await issuer.token();
  issuer.break("refused");
  const early = await workedOff(clock, ask(token));
  assertEquals(outcome(early), "authFailure backend-unreachable");
  issuer.break("none");
  assertEquals((await workedOff(clock, ask(token))).decision, "authOk");
});

Deno.test("newOAuthProvider() asks an issuer that is down once a second, whoever comes", async () => {
  using clock = newClock();
  const { issuer, ask } = newChecker();
  const token = await issuer.token();
  issuer.break("500");
  const began = clock.now();
  for (let i = 0; i < 10; i++) {
    const all = Promise.all(Array.from({ length: 20 }, () => ask(token)));
    const results = await workedOff(clock, all);
    assertEquals(new Set(results.map(outcome)).size, 1);
    assertEquals(results[0]?.decision, "authFailure");
  }
  assertEquals(issuer.asked.length, 10);
  assertEquals(clock.now() - began, 9000);
});

Deno.test("newOAuthProvider() waits for nobody who has gone", async () => {
  const { issuer, ask } = newChecker();
  const token = await issuer.token();
  const { promise, resolve } = Promise.withResolvers<Response>();
  issuer.faults.set("keys", () => promise);
  const gone = new AbortController();
  const first = ask(token, "", gone.signal);
  const second = ask(token);
  gone.abort();
  assertEquals(outcome(await first), "authFailure client-gone");
  const { jwk } = await issuer.key();
  resolve(Response.json({ keys: [jwk] }));
  assertEquals((await second).decision, "authOk");
});
