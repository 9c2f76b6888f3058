import { assertEquals, assertNotEquals } from "../../../support/assert.ts";
import { newChecker, outcome } from "../../../support/oauth/checker.ts";
import {
  base64url,
  hmac,
  newSigningKey,
  writeJws,
} from "../../../../testing/signer.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"] as const;

Deno.test("newOAuthProvider() takes RS256, PS256, ES256 and EdDSA", async () => {
  const { issuer, ask } = newChecker();
  for (const alg of ALGORITHMS) await issuer.key(alg);
  for (const alg of ALGORITHMS) {
    const token = await issuer.token({}, { alg });
    assertEquals((await ask(token)).decision, "authOk", alg);
    const [header = "", payload = "", signature = ""] = token.split(".");
    // One bit of the signature, and one letter of what is signed.
    const octets = Uint8Array.fromBase64(signature, { alphabet: "base64url" });
    octets[octets.length >> 1] = (octets[octets.length >> 1] ?? 0) ^ 1;
    const forged = [header, payload, base64url(octets)].join(".");
    assertEquals(
      outcome(await ask(forged)),
      "authInvalid token-signature",
      alg,
    );
    const other = (await issuer.token({ email: "bob@example.com" }, { alg }))
      .split(".")[1] ?? "";
    assertNotEquals(other, payload);
    const swapped = [header, other, signature].join(".");
    assertEquals(
      outcome(await ask(swapped)),
      "authInvalid token-signature",
      alg,
    );
  }
  assertEquals(issuer.asked, ["discovery", "keys"]);
});

Deno.test("newOAuthProvider() refuses a token without a signature", async () => {
  const { issuer, ask } = newChecker();
  const { kid } = await issuer.key();
  const none = () => new Uint8Array();
  for (const alg of ["none", "None", "NONE", ""]) {
    const token = await writeJws({ alg, kid }, issuer.claims(), none);
    assertEquals((await ask(token)).decision, "authInvalid", alg);
    assertEquals((await ask(`${token}AAAA`)).decision, "authInvalid", alg);
  }
  const { sign } = await issuer.key();
  const noAlg = await writeJws({ kid }, issuer.claims(), sign);
  assertEquals(outcome(await ask(noAlg)), "authInvalid token-malformed");
});

Deno.test("newOAuthProvider() refuses HS256, whose key would be the public one", async () => {
  const { issuer, ask } = newChecker();
  for (const alg of ["RS256", "ES256"] as const) {
    const { kid, jwk } = await issuer.key(alg);
    for (const key of [JSON.stringify(jwk), jwk.n ?? jwk.x ?? ""]) {
      const token = await writeJws(
        { alg: "HS256", kid, typ: "JWT" },
        issuer.claims(),
        (octets) => hmac(key, octets),
      );
      assertEquals(outcome(await ask(token)), "authInvalid token-signature");
    }
  }
});

Deno.test("newOAuthProvider() uses no secret that a key set may hold", async () => {
  const { issuer, ask } = newChecker();
  const secret = "0123456789abcdef0123456789abcdef";
  issuer.faults.set("keys", () =>
    Response.json({
      keys: [{ kty: "oct", kid: "1", alg: "HS256", k: btoa(secret) }],
    }));
  const token = await writeJws(
    { alg: "HS256", kid: "1" },
    issuer.claims(),
    (octets) => hmac(secret, octets),
  );
  assertEquals(outcome(await ask(token)), "authInvalid token-signature");
});

Deno.test("newOAuthProvider() wants the key that the token names, of its kind", async () => {
  const { issuer, ask } = newChecker();
  const es = await issuer.key("ES256");
  const rs = await issuer.key("RS256");
  const sign = (header: object) => writeJws(header, issuer.claims(), es.sign);
  const rows = [
    [{ alg: "ES256", kid: es.kid }, "authOk"],
    [{ alg: "ES256" }, "authOk"],
    [{ alg: "ES256", kid: "another" }, "authInvalid token-key"],
    [{ alg: "ES256", kid: rs.kid }, "authInvalid token-key"],
    [{ alg: "RS256", kid: es.kid }, "authInvalid token-key"],
    [{ alg: "RS256", kid: rs.kid }, "authInvalid token-signature"],
    [{ alg: "PS256", kid: rs.kid }, "authInvalid token-key"],
    [{ alg: "ES384", kid: es.kid }, "authInvalid token-key"],
    // A key of the stranger's own, in the header.
    [{ alg: "ES256", jwk: es.jwk, kid: "mine" }, "authInvalid token-key"],
  ] as const;
  for (const [header, expected] of rows) {
    const token = await sign({ typ: "JWT", ...header });
    assertEquals(outcome(await ask(token)), expected, JSON.stringify(header));
  }
});

Deno.test("newOAuthProvider() tries each key where the token's is one of several", async () => {
  for (const names of [["last", "current", "next"], ["1", "1", "1"]]) {
    const { issuer, ask } = newChecker();
    const keys = await Promise.all(
      names.map((name) => newSigningKey("ES256", name)),
    );
    issuer.faults.set(
      "keys",
      () => Response.json({ keys: keys.map(({ jwk }) => jwk) }),
    );
    const header = names[0] === "1"
      ? { alg: "ES256", kid: "1" }
      : { alg: "ES256" };
    for (const { sign } of keys) {
      const token = await writeJws(header, issuer.claims(), sign);
      assertEquals(outcome(await ask(token)), "authOk");
    }
    const stranger = await newSigningKey("ES256", "1");
    const token = await writeJws(header, issuer.claims(), stranger.sign);
    assertEquals(outcome(await ask(token)), "authInvalid token-key");
    const old = await writeJws(
      header,
      issuer.claims({ exp: 1 }),
      (octets) => (keys[2] ?? stranger).sign(octets),
    );
    assertEquals(outcome(await ask(old)), "authInvalid token-expired");
  }
});

Deno.test("newOAuthProvider() tries no more than eight keys", async () => {
  const { issuer, ask } = newChecker();
  const keys = await Promise.all(
    Array.from({ length: 9 }, (_, i) => newSigningKey("ES256", `${i}`)),
  );
  issuer.faults.set(
    "keys",
    () => Response.json({ keys: keys.map(({ jwk }) => jwk) }),
  );
  const outcomes = await Promise.all(keys.map(async ({ sign }) => {
    const token = await writeJws({ alg: "ES256" }, issuer.claims(), sign);
    return outcome(await ask(token));
  }));
  assertEquals(outcomes, [
    ...Array(8).fill("authOk"),
    "authInvalid token-key",
  ]);
});

Deno.test("newOAuthProvider() refuses another issuer's signature by the same key name", async () => {
  const { issuer, ask } = newChecker();
  const { alg, kid } = await issuer.key();
  const stranger = await newSigningKey("ES256", kid);
  const token = await writeJws({ alg, kid }, issuer.claims(), stranger.sign);
  assertEquals(outcome(await ask(token)), "authInvalid token-signature");
});

Deno.test("newOAuthProvider() takes the header's word for what a token is not", async () => {
  const { issuer, ask } = newChecker();
  const rows = [
    [{ typ: undefined }, "authOk"],
    [{ typ: "JWT" }, "authOk"],
    [{ typ: "jwt" }, "authOk"],
    [{ typ: "at+jwt" }, "authOk"],
    [{ typ: "application/at+jwt" }, "authOk"],
    [{ typ: "dpop+jwt" }, "authInvalid token-kind"],
    [{ typ: "logout+jwt" }, "authInvalid token-kind"],
    [{ typ: "secevent+jwt" }, "authInvalid token-kind"],
    [{ typ: "" }, "authInvalid token-kind"],
    [{ typ: 1 }, "authInvalid token-kind"],
    [{ crit: ["exp"], exp: 1 }, "authInvalid token-malformed"],
    [{ crit: ["b64"], b64: false }, "authInvalid token-malformed"],
  ] as const;
  for (const [header, expected] of rows) {
    const token = await issuer.token({}, { header });
    assertEquals(outcome(await ask(token)), expected, JSON.stringify(header));
  }
});

Deno.test("newOAuthProvider() reads no token that is none, and asks nobody about it", async () => {
  const { issuer, ask } = newChecker();
  const { alg, kid, sign } = await issuer.key();
  const good = await issuer.token();
  const [header = ""] = good.split(".");
  const tokens = [
    "opaque",
    "a.b.c",
    "..",
    header,
    `${header}.`,
    `${good}.`,
    `${good}.${header}.${header}`,
    `${good} `,
    `${good}\0`,
    `${good}\u00e9`,
    "ä",
    `${good}${"A".repeat(12_288)}`,
  ];
  for (const token of tokens) {
    const result = await ask(token);
    assertEquals(outcome(result), "authInvalid token-malformed", token);
  }
  assertEquals(issuer.asked, []);
  for (const payload of ["claims", 1, null, [issuer.claims()]]) {
    const token = await writeJws({ alg, kid }, payload, sign);
    assertEquals(outcome(await ask(token)), "authInvalid token-malformed");
  }
});
