import { newStaticAuthProvider } from "../../../auth/providers/static.ts";
import type { ReadyProvider } from "../../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertThrows,
} from "../../support/assert.ts";
import { decisionOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { newRandom } from "../../support/random.ts";

/** What a provider says about a user name and a password. */
function ask(provider: ReadyProvider, username: string, password: string) {
  return decisionOf(provider, newRequest({ username, password }));
}

Deno.test("newStaticAuthProvider() takes an object or a map", async () => {
  const users = { ann: "correct horse", bob: "staple" };
  for (const table of [users, new Map(Object.entries(users))]) {
    const provider = newStaticAuthProvider(table);
    assertEquals(await ask(provider, "ann", "correct horse"), "authOk");
    assertEquals(await ask(provider, "bob", "staple"), "authOk");
    assertEquals(await ask(provider, "ann", "staple"), "authInvalid");
    assertEquals(await ask(provider, "bob", "correct horse"), "authInvalid");
    assertEquals(await ask(provider, "eve", "staple"), "authInvalid");
  }
});

Deno.test("newStaticAuthProvider() lets nobody in without users", async () => {
  for (const table of [{}, new Map<string, string>()]) {
    const provider = newStaticAuthProvider(table);
    for (
      const [username, password] of [["", ""], ["ann", ""], ["ann", "\0"], [
        "",
        "x",
      ]] as const
    ) {
      assertEquals(await ask(provider, username, password), "authInvalid");
    }
  }
});

Deno.test("newStaticAuthProvider() takes a table of any size", async () => {
  const users = Array.from(
    { length: 130_000 },
    (_, i) => [`u${i}`, "x"] as const,
  );
  const provider = newStaticAuthProvider(new Map(users));
  assertEquals(await ask(provider, "u129999", "x"), "authOk");
});

Deno.test("newStaticAuthProvider() refuses passwords that are nearly right", async () => {
  const provider = newStaticAuthProvider({
    ann: "secret",
    // Longer than ann's and shorter: the buffers' length follows the longest.
    bob: "a password much longer than that",
    eve: "x",
    dot: "\0",
  });
  const guesses = [
    ["ann", ""],
    ["ann", "s"],
    ["ann", "secre"],
    ["ann", "ecret"],
    ["ann", "secrets"],
    ["ann", "ssecret"],
    ["ann", "Secret"],
    ["ann", "secret "],
    ["ann", " secret"],
    ["ann", "secret\0"],
    ["ann", "secret\n"],
    ["ann", "secreu"],
    ["ann", "tercse"],
    ["ann", "secretsecret"],
    ["ann", "secret".repeat(32)],
    ["ann", `secret${"\0".repeat(26)}`],
    ["ann", `secret${"\0".repeat(27)}`],
    ["ann", "\0".repeat(6)],
    ["ann", "\ufeffsecret"],
    ["bob", ""],
    ["bob", "a password much longer than tha"],
    ["bob", "a password much longer than that "],
    ["bob", "a password much longer than that".repeat(2)],
    ["eve", ""],
    ["eve", "xx"],
    ["eve", "x\0"],
    ["eve", "y"],
    ["dot", ""],
    ["dot", "\0\0"],
    ["ANN", "secret"],
    ["ann ", "secret"],
    ["an", "secret"],
    ["", "secret"],
    ["nobody", "\0".repeat(32)],
    ["nobody", ""],
  ] as const;
  for (const [username, password] of guesses) {
    const what = JSON.stringify([username, password]);
    assertEquals(await ask(provider, username, password), "authInvalid", what);
  }
  assertEquals(await ask(provider, "ann", "secret"), "authOk");
  assertEquals(
    await ask(provider, "bob", "a password much longer than that"),
    "authOk",
  );
  assertEquals(await ask(provider, "eve", "x"), "authOk");
  assertEquals(await ask(provider, "dot", "\0"), "authOk");
});

Deno.test("newStaticAuthProvider() says yes to one password and to no other", async () => {
  // All short passwords over two characters, against users of every length.
  let texts = ["a", "b"];
  const all = [...texts];
  for (let length = 2; length <= 5; length++) {
    texts = texts.flatMap((text) => [`${text}a`, `${text}b`]);
    all.push(...texts);
  }
  const provider = newStaticAuthProvider(
    new Map(all.map((text) => [text, text])),
  );
  for (const user of all) {
    for (const guess of ["", ...all, `${user}${user}`]) {
      const decision = await ask(provider, user, guess);
      if ((decision === "authOk") !== (guess === user)) {
        assertEquals<unknown>(decision, undefined, `${user} with ${guess}`);
      }
    }
  }
});

Deno.test("newStaticAuthProvider() refuses a password with any one bit changed", async () => {
  const random = newRandom(7);
  const secret = Array.from(
    { length: 24 },
    () => String.fromCharCode(random(128)),
  );
  const provider = newStaticAuthProvider({
    ann: secret.join(""),
    bob: "short",
  });
  for (const at of secret.keys()) {
    for (let bit = 0; bit < 7; bit++) {
      const guess = secret.with(
        at,
        String.fromCharCode((secret[at] ?? "").charCodeAt(0) ^ (1 << bit)),
      );
      assertEquals(
        await ask(provider, "ann", guess.join("")),
        "authInvalid",
        `${at}.${bit}`,
      );
    }
  }
  assertEquals(await ask(provider, "ann", secret.join("")), "authOk");
});

Deno.test("newStaticAuthProvider() compares UTF-8 passwords and user names", async () => {
  const provider = newStaticAuthProvider({
    "\u00fcmit": "p\u00e4ssw\u00f6rd \u732b\u{1f431}",
    "bom": "\ufeffsecret",
  });
  assertEquals(
    await ask(provider, "\u00fcmit", "p\u00e4ssw\u00f6rd \u732b\u{1f431}"),
    "authOk",
  );
  assertEquals(await ask(provider, "bom", "\ufeffsecret"), "authOk");
  const guesses = [
    ["\u00fcmit", "passwo rd \u732b\u{1f431}"],
    ["\u00fcmit", "p\u00e4ssw\u00f6rd \u732b"],
    ["\u00fcmit", "p\u00e4ssw\u00f6rd \u732b\u{1f432}"],
    // The same low octets of the UTF-16 code units.
    ["\u00fcmit", "p\u01e4ssw\u00f6rd \u732b\u{1f431}"],
    ["bom", "secret"],
  ] as const;
  for (const [username, password] of guesses) {
    assertEquals(
      await ask(provider, username, password),
      "authInvalid",
      password,
    );
  }
});

Deno.test("newStaticAuthProvider() takes one text in two spellings for one, by RFC 4616 section 2", async () => {
  const [composed, decomposed] = ["\u00fcmit", "u\u0308mit"];
  for (const known of [composed, decomposed]) {
    const provider = newStaticAuthProvider({ [known]: known });
    for (const username of [composed, decomposed]) {
      for (const password of [composed, decomposed]) {
        assertEquals(await ask(provider, username, password), "authOk");
      }
    }
    // The same look, but other characters.
    assertEquals(await ask(provider, known, "\uff55\u0308mit"), "authInvalid");
  }
});

/** Names that objects have without anybody putting them there. */
const INHERITED = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "__defineGetter__",
] as const;

Deno.test("newStaticAuthProvider() finds no user by accident", async () => {
  const tables = [{}, { ann: "secret" }, new Map([["ann", "secret"]])];
  for (const table of tables) {
    const provider = newStaticAuthProvider(table);
    for (const username of INHERITED) {
      for (
        const password of [
          "",
          "secret",
          "[object Object]",
          "undefined",
          String(Object),
          "\0",
        ]
      ) {
        assertEquals(
          await ask(provider, username, password),
          "authInvalid",
          username,
        );
      }
    }
  }
});

Deno.test("newStaticAuthProvider() leaves out what a table inherits", async () => {
  const table: Record<string, string> = Object.create({ eve: "inherited" });
  table.ann = "secret";
  const provider = newStaticAuthProvider(table);
  assertEquals(await ask(provider, "ann", "secret"), "authOk");
  assertEquals(await ask(provider, "eve", "inherited"), "authInvalid");
});

Deno.test("newStaticAuthProvider() takes names like __proto__ as names", async () => {
  for (const username of INHERITED) {
    const map = new Map([[username as string, "secret"]]);
    const parsed: Record<string, string> = JSON.parse(
      `{${JSON.stringify(username)}:"secret"}`,
    );
    for (const table of [map, parsed]) {
      const provider = newStaticAuthProvider(table);
      assertEquals(await ask(provider, username, "secret"), "authOk", username);
      assertEquals(
        await ask(provider, username, "Secret"),
        "authInvalid",
        username,
      );
      assertEquals(
        await ask(provider, "ann", "secret"),
        "authInvalid",
        username,
      );
    }
  }
});

Deno.test("newStaticAuthProvider() copies its table", async () => {
  const object: Record<string, string> = { ann: "secret" };
  const map = new Map([["ann", "secret"]]);
  const providers = [newStaticAuthProvider(object), newStaticAuthProvider(map)];
  object.ann = "changed";
  object.eve = "added";
  map.set("ann", "changed").set("eve", "added");
  for (const provider of providers) {
    assertEquals(await ask(provider, "ann", "secret"), "authOk");
    assertEquals(await ask(provider, "ann", "changed"), "authInvalid");
    assertEquals(await ask(provider, "eve", "added"), "authInvalid");
  }
});

Deno.test("newStaticAuthProvider() does not care how and from where one asks", async () => {
  const provider = newStaticAuthProvider({ ann: "correct horse" });
  const request = newRequest({
    mechanism: "LOGIN",
    remoteIp: "",
    heloName: "",
  });
  assertEquals(await decisionOf(provider, request), "authOk");
});

Deno.test("newStaticAuthProvider() refuses a table that cannot be meant, unquoted", () => {
  const canary = "canary-7f3a";
  const tables = [
    ["an empty password", { [canary]: "" }, "each password"],
    ["an empty user name", { "": canary }, "each user name"],
    ["an empty password in a map", new Map([[canary, ""]]), "each password"],
    ["an empty user name in a map", new Map([["", canary]]), "each user name"],
    [
      "one of several",
      { ann: "secret", [canary]: "", bob: canary },
      "each password",
    ],
    ["a number", JSON.parse(`{"${canary}":12345678}`), "each password"],
    ["null", JSON.parse(`{"${canary}":null}`), "each password"],
    ["true", JSON.parse(`{"${canary}":true}`), "each password"],
    [
      "an object",
      JSON.parse(`{"${canary}":{"password":"${canary}"}}`),
      "each password",
    ],
    ["an array", JSON.parse(`{"${canary}":["${canary}"]}`), "each password"],
    [
      "a map with another key",
      new Map(JSON.parse(`[[1,"${canary}"]]`)),
      "each user name",
    ],
    [
      "a map with another value",
      new Map(JSON.parse(`[["${canary}",12345678]]`)),
      "each password",
    ],
  ] as const;
  for (const [what, table, rule] of tables) {
    const error = assertThrows(() => newStaticAuthProvider(table), TypeError);
    const [accepted, got] = error.message.split(": got ");
    assertEquals(
      accepted,
      `Cannot create static provider: ${rule} must be a string that is not empty`,
      what,
    );
    assert(/^(an empty string|an? [a-z]+|null)$/.test(got ?? ""), what);
    const shown = Deno.inspect(error);
    assertFalse(shown.includes(canary) || shown.includes("12345678"), what);
  }
});
