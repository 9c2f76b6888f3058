import { parseHash, schemeOf } from "../../../../auth/providers/users/hash.ts";
import { verify } from "../../../../auth/providers/users/verify.ts";
import { HashWorkers } from "../../../../auth/providers/users/workers.ts";
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
} from "../../../support/assert.ts";
import { REFUSED, VECTORS } from "./vectors.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const NOT_WHOLE = "the hash is no whole one of its kind";

Deno.test("verify() knows the passwords of hashes that other programs made", async (t) => {
  using workers = new HashWorkers();
  for (const { made, password, hash } of VECTORS) {
    await t.step(made, async () => {
      const parsed = parseHash(hash);
      if (typeof parsed === "string") throw new Error(parsed);
      assertEquals(await verify(parsed, password, workers), true);
      // The first letter: bcrypt looks at no more than 72 octets.
      const wrong = `x${password.slice(1)}`;
      assertEquals(await verify(parsed, wrong, workers), false);
    });
  }
});

Deno.test("verify() rejects where a hash cannot be computed, and goes on", async () => {
  using workers = new HashWorkers();
  const octets = new Uint8Array(16);
  // No power of two: never read from a file, and refused by scrypt.
  const bad = { kind: "scrypt", n: 3, r: 1, p: 1 } as const;
  await assertRejects(
    () => verify({ ...bad, salt: octets, tag: octets }, "pw", workers),
    Error,
  );
  const good = parseHash("$apr1$a$ij/Aka61dStEs8vTEvpfK1");
  assert(typeof good !== "string");
  assertEquals(await verify(good, "pw", workers), true);
});

Deno.test("parseHash() refuses by name what it knows and cannot compute", () => {
  for (const [made, hash, name] of REFUSED) {
    assertEquals(
      parseHash(hash),
      `${name} cannot be checked here: make a new hash with --hash-password`,
      made,
    );
  }
});

Deno.test("parseHash() takes a scheme's name in any letter case", () => {
  assertEquals(
    parseHash("{ssha}1NhTL5D6dy27JrKEzVlQqFLqfFYPWofn"),
    parseHash("{SSHA}1NhTL5D6dy27JrKEzVlQqFLqfFYPWofn"),
  );
});

Deno.test("schemeOf() is what a hash begins with", () => {
  for (const { made, hash } of VECTORS) {
    const parsed = parseHash(hash);
    assert(typeof parsed !== "string");
    // Dovecot's other names for the same: `{ARGON2ID}$argon2id$…`, `{SHA1}…`.
    const bare = hash
      .replace(/^\{[A-Z0-9-]+\}(?=\$)/, "")
      .replace(/^\{SHA1\}/, "{SHA}");
    assert(bare.startsWith(schemeOf(parsed)), made);
  }
});

Deno.test("parseHash() refuses what lacks its last character, or has one more", () => {
  for (const { hash } of VECTORS) {
    if (hash.startsWith("{PLAIN}")) continue;
    assertEquals(parseHash(hash.slice(0, -1)), NOT_WHOLE, hash);
    assertEquals(parseHash(`${hash}!`), NOT_WHOLE, hash);
    assertEquals(parseHash(`${hash} `), NOT_WHOLE, hash);
  }
  assertEquals(parseHash("{PLAIN}"), NOT_WHOLE);
});

Deno.test("parseHash() refuses what costs too much, or too little to be one", () => {
  const argon2 = (m: number, t: number, p: number) =>
    `$argon2id$v=19$m=${m},t=${t},p=${p}$c29tZXNhbHQ$+mWg7mpD2vPhffa1AWlDXg`;
  const argon2Limits =
    "the hash's m must be from 8 for each lane to 1048576, t to 64, p to 64";
  const bcrypt = (cost: string) =>
    `$2y$${cost}$7VVy4jVBLoy3yYBaEyDFa.3tK3frnrWiCmeZ4UyhM6i1b4S02itJi`;
  const rounds = (count: number) =>
    `$5$rounds=${count}$saltstring$04nmrB2LCVh/mRYff4m0yiqpjthuqb04Xtm6kFlFaS9`;
  const scrypt = (ln: number, r: number, p: number) =>
    `$scrypt$ln=${ln},r=${r},p=${p}$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M`;
  const scryptLimits =
    "the hash's ln, r and p must be from 1, p at most 64, and its memory at most 1073741824 octets";

  for (
    const [hash, words] of [
      [argon2(1_048_577, 1, 1), argon2Limits],
      [argon2(15, 1, 2), argon2Limits],
      [argon2(8, 0, 1), argon2Limits],
      [argon2(8, 65, 1), argon2Limits],
      [argon2(8, 1, 0), argon2Limits],
      [argon2(520, 1, 65), argon2Limits],
      [
        "$argon2id$v=19$m=8,t=1,p=1$c2hvcnQ$+mWg7mpD2vPhffa1AWlDXg",
        "the hash needs 8 octets of salt and 16 of its own",
      ],
      [
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$+mWg7mpD2vPhffa1",
        "the hash needs 8 octets of salt and 16 of its own",
      ],
      [bcrypt("03"), "the hash's cost must be from 4 to 17: got 3"],
      [bcrypt("18"), "the hash's cost must be from 4 to 17: got 18"],
      [rounds(999), "the hash's rounds must be from 1000 to 1000000: got 999"],
      [
        rounds(1_000_001),
        "the hash's rounds must be from 1000 to 1000000: got 1000001",
      ],
      [scrypt(0, 8, 1), scryptLimits],
      [scrypt(10, 0, 1), scryptLimits],
      [scrypt(10, 8, 0), scryptLimits],
      [scrypt(10, 8, 65), scryptLimits],
      [scrypt(21, 8, 1), scryptLimits],
      [scrypt(99, 9999, 1), scryptLimits],
    ] as const
  ) {
    assertEquals(parseHash(hash), words, hash);
  }
  for (
    const hash of [
      argon2(1_048_576, 64, 64),
      bcrypt("17"),
      rounds(1_000_000),
      scrypt(20, 8, 64),
    ]
  ) {
    assertNotEquals(typeof parseHash(hash), "string", hash);
  }
});

Deno.test("parseHash() says what it takes, and repeats nothing, where it knows nothing", () => {
  const known =
    "the hash must be $argon2id$, $2y$, $2b$, $2a$, $6$, $5$, $scrypt$, $apr1$, " +
    "{SSHA}, {SSHA256}, {SSHA512}, {SHA} or {PLAIN}";
  for (
    const text of [
      "",
      "secret",
      "$secret$",
      "$",
      "{secret}",
      "{secret}secret",
      "{CRYPT}secret",
      "{CRYPT}YkOO7rNHLrPr6",
      "YkOO7rNHLrPr6",
      "$constructor$x",
      "{constructor}x",
      "{__proto__}x",
      "{SSHA.HEX}066ccc6c5087ff558d88ba5a52c9398875ea2d750095175a",
    ]
  ) {
    assertEquals(parseHash(text), known, text);
  }
});
