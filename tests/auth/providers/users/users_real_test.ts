import { newUsersAuthProvider } from "../../../../auth/providers/users/users.ts";
import type { ReadyProvider } from "../../../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertRejects,
} from "../../../support/assert.ts";
import { newRequest } from "../../../support/auth_request.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

/** Of `pw`. */
const APR1 = "$apr1$a$ij/Aka61dStEs8vTEvpfK1";
const ARGON2 = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$+mWg7mpD2vPhffa1AWlDXg";
/** Of `correct horse`. */
const SSHA = "{SSHA}1NhTL5D6dy27JrKEzVlQqFLqfFYPWofn";

/** What a provider says about a user name and a password. */
function ask(provider: ReadyProvider, username: string, password: string) {
  return provider(newRequest({ username, password }));
}

/**
 * Counts the calls of `crypto.subtle.deriveBits()`.
 *
 * @param gate What each call waits for before it does anything.
 */
function spyOnDeriveBits(
  gate?: Promise<void>,
): Disposable & { readonly costs: unknown[]; readonly most: () => number } {
  const real = crypto.subtle.deriveBits;
  const costs: unknown[] = [];
  let underWay = 0;
  let most = 0;
  crypto.subtle.deriveBits = async (algorithm, key, length) => {
    costs.push(Reflect.get(Object(algorithm), "memory"));
    most = Math.max(most, ++underWay);
    try {
      await gate;
      return await real.call(crypto.subtle, algorithm, key, length);
    } finally {
      underWay--;
    }
  };
  return {
    costs,
    most: () => most,
    [Symbol.dispose]: () => void (crypto.subtle.deriveBits = real),
  };
}

Deno.test("newUsersAuthProvider() says who logged in, and who that may be", async () => {
  using provider = newUsersAuthProvider(
    `#fold-case\nann:${APR1}:ann@example.com,@team.example\nbob:${SSHA}\n`,
  );
  assertEquals(await ask(provider, "ANN", "pw"), {
    decision: "authOk",
    user: "ann",
    senders: ["ann@example.com", "@team.example"],
  });
  assertEquals(await ask(provider, "bob", "correct horse"), {
    decision: "authOk",
    user: "bob",
  });
  for (
    const [username, password] of [
      ["ann", "correct horse"],
      ["bob", "pw"],
      ["eve", "pw"],
      ["", ""],
    ] as const
  ) {
    const result = await ask(provider, username, password);
    assertEquals(result, { decision: "authInvalid" });
  }
});

Deno.test("newUsersAuthProvider() compares passwords in NFC", async () => {
  using provider = newUsersAuthProvider("ann:{PLAIN}gru\u0308\u00dfe\n");
  for (const password of ["gr\u00fc\u00dfe", "gru\u0308\u00dfe"]) {
    const { decision } = await ask(provider, "ann", password);
    assertEquals(decision, "authOk");
  }
});

Deno.test("newUsersAuthProvider() takes no password of more than 1,024 octets", async () => {
  const longest = "\u00fc".repeat(512);
  using provider = newUsersAuthProvider(
    `ann:{PLAIN}${longest}\nbob:{PLAIN}${longest}x\n`,
  );
  assertEquals((await ask(provider, "ann", longest)).decision, "authOk");
  assertEquals(
    (await ask(provider, "bob", `${longest}x`)).decision,
    "authInvalid",
  );
});

Deno.test("newUsersAuthProvider() hashes once for whom it does not know, as for most users", async () => {
  const other = ARGON2.replace("m=8", "m=16");
  using provider = newUsersAuthProvider(
    `ann:${other}\nbob:${ARGON2}\neve:${ARGON2}\n`,
  );
  using spy = spyOnDeriveBits();
  // Right for bob's hash, which stands in for the missing one.
  const { decision } = await ask(provider, "nobody", "pw");
  assertEquals(decision, "authInvalid");
  assertEquals(spy.costs, [8]);
  await ask(provider, "ann", "pw");
  assertEquals(spy.costs, [8, 16]);
});

Deno.test("newUsersAuthProvider() computes a few hashes at once; 512 more logins wait", async () => {
  using provider = newUsersAuthProvider(`ann:${ARGON2}\n`);
  const { promise: allAreHere, resolve } = Promise.withResolvers<void>();
  using spy = spyOnDeriveBits(allAreHere);
  const storm = Array.from({ length: 1_000 }, () => ask(provider, "ann", "pw"));
  resolve();
  const results = await Promise.all(storm);
  const atOnce = Math.min(Math.max(navigator.hardwareConcurrency, 2), 4);
  assertEquals(spy.most(), atOnce);
  assertEquals(spy.costs.length, atOnce + 512);
  results.forEach((result, i) =>
    assertEquals(
      result,
      i < atOnce + 512
        ? { decision: "authOk", user: "ann" }
        : { decision: "authFailure", reason: "backend-busy" },
    )
  );
});

Deno.test("newUsersAuthProvider() takes other users while 500 log in, and loses no login", async () => {
  // ann stays; the users besides her, and what most hashes cost, are others.
  const text = (round: number) =>
    `user${round}:{PLAIN}${round}\nother${round}:{PLAIN}${round}\n` +
    `ann:${round % 2 === 0 ? ARGON2 : APR1}\n`;
  using provider = newUsersAuthProvider(text(0));
  const logins = [];
  for (let round = 1; round <= 50; round++) {
    for (let i = 0; i < 10; i++) logins.push(ask(provider, "ann", "pw"));
    await logins.at(-round);
    await provider.use(text(round));
    await assertRejects(() => provider.use("ann:"), TypeError, "line 1");
  }
  assertEquals(logins.length, 500);
  for (const { decision } of await Promise.all(logins)) {
    assertEquals(decision, "authOk");
  }
  assertEquals((await ask(provider, "user50", "50")).decision, "authOk");
  assertEquals((await ask(provider, "user49", "49")).decision, "authInvalid");
});

Deno.test("use() lets the text count that came last, however long each takes to read", async () => {
  const large = "ann:{PLAIN}old\n" +
    Array.from({ length: 2_000 }, (_, i) => `user${i}:${ARGON2}\n`).join("");
  using provider = newUsersAuthProvider("ann:{PLAIN}first\n");
  const uses = [large, "ann:{PLAIN}new\n", "ann:"].map(provider.use);
  // Until it is read, the users are who they were.
  assertEquals((await ask(provider, "ann", "first")).decision, "authOk");
  const ends = await Promise.allSettled(uses);
  assertEquals(ends.map(({ status }) => status), [
    "fulfilled",
    "fulfilled",
    "rejected",
  ]);
  assertEquals((await ask(provider, "ann", "new")).decision, "authOk");
});

Deno.test("newUsersAuthProvider() warns of passwords that are soon guessed, in one line", async () => {
  const warnings: string[] = [];
  const onWarning = (warning: string) => {
    warnings.push(warning);
    throw new Error("a broken log");
  };
  using provider = newUsersAuthProvider(`#\nann:${APR1}\n`, { onWarning });
  await provider.use(`ann:${SSHA}\n`);
  await provider.use(
    `ann:${SSHA}\nbob:{PLAIN}secret\neve:${APR1}\nkim:${APR1}\n`,
  );
  assertEquals(warnings, [
    "whoever reads the users file soon has the password of line 2: make new hashes with --hash-password",
    "whoever reads the users file soon has the password of line 2, and 2 more: make new hashes with --hash-password",
  ]);
});

Deno.test("ready() tries a hash of each cost, and says what cannot be computed", async () => {
  using provider = newUsersAuthProvider(`ann:${APR1}\nbob:${ARGON2}\n`);
  await provider.ready();

  using spy = spyOnDeriveBits();
  await provider.use(`ann:${ARGON2}\nbob:${ARGON2.replace("m=8", "m=16")}\n`);
  await provider.ready();
  assertEquals(spy.costs, [8, 16]);
});

Deno.test("newUsersAuthProvider() lets nobody in once it is disposed, and says that it cannot tell", async () => {
  const provider = newUsersAuthProvider(`ann:${APR1}\n`);
  const before = ask(provider, "ann", "pw");
  provider[Symbol.dispose]();
  provider[Symbol.dispose]();
  for (const result of [await before, await ask(provider, "ann", "pw")]) {
    assertEquals(result.decision, "authFailure");
    assertEquals(result.reason, "provider-error");
    assert(!JSON.stringify(result).includes("pw"));
  }
});

Deno.test("newUsersAuthProvider() tries one hash at a time, however often it is to be ready", async () => {
  using provider = newUsersAuthProvider(`ann:${ARGON2}\n`);
  const gate = Promise.withResolvers<void>();
  using spy = spyOnDeriveBits(gate.promise);
  const tries = Array.from({ length: 50 }, async () => {
    await provider.use(`ann:${ARGON2}\n`);
    await provider.ready();
  });
  gate.resolve();
  await Promise.all(tries);
  assertEquals([spy.most(), spy.costs.length], [1, 2]);
});
