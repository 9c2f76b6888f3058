import { firstProvider } from "../../../auth/providers/first.ts";
import type { ProviderReason } from "../../../auth/reasons.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthResult,
} from "../../../auth/types.ts";
import {
  assertEquals,
  assertStrictEquals,
  assertThrows,
} from "../../support/assert.ts";
import { outcomeOf, watched } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { newCountedSignal } from "../../support/counted_signal.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const REASONS: Readonly<Record<AuthDecision, ProviderReason>> = {
  authOk: "ok",
  authInvalid: "wrong-credentials",
  authFailure: "backend-status",
};
const LETTERS = { o: "authOk", i: "authInvalid", f: "authFailure" } as const;

function says(letter: keyof typeof LETTERS, later: boolean): AuthProvider {
  const decision = LETTERS[letter];
  const result: AuthResult = { decision, reason: REASONS[decision] };
  return () => later ? Promise.resolve(result) : result;
}

/** What the providers say, how many are asked, and what comes of it. */
const CHAINS = [
  ["o", 1, "authOk"],
  ["i", 1, "authInvalid"],
  ["f", 1, "authFailure"],
  ["oi", 1, "authOk"],
  ["of", 1, "authOk"],
  ["io", 2, "authOk"],
  ["ii", 2, "authInvalid"],
  ["if", 2, "authFailure"],
  ["fo", 1, "authFailure"],
  ["fi", 1, "authFailure"],
  ["iio", 3, "authOk"],
  ["ifo", 2, "authFailure"],
  ["iii", 3, "authInvalid"],
  ["iif", 3, "authFailure"],
] as const;

Deno.test("firstProvider() asks the next at authInvalid only, and says why the last decided so", async () => {
  for (const [chain, count, decision] of CHAINS) {
    // At once, later, and every mixture of both.
    for (let later = 0; later < 2 ** chain.length; later++) {
      const providers = [...chain].map((letter, i) => {
        const key = letter === "o" ? "o" : letter === "i" ? "i" : "f";
        return watched(says(key, (later >> i & 1) === 1));
      });
      const provider = firstProvider(
        ...providers.map(({ provider }) => provider),
      );
      const request = newRequest();
      const result = { decision, reason: REASONS[decision] };
      assertEquals(await provider(request), result, chain);
      const asked = providers.map(({ asked }) => asked.length);
      assertEquals(asked, [...chain].map((_, i) => i < count ? 1 : 0), chain);
      assertStrictEquals(providers[0]?.asked[0], request);
    }
  }
});

Deno.test("firstProvider() takes a provider that breaks for a failure", async () => {
  const broken: readonly (readonly [() => unknown, ProviderReason])[] = [
    [() => JSON.parse("!"), "provider-error"],
    [() => Promise.reject(new Error("down")), "provider-error"],
    [() => "nonsense", "provider-nonsense"],
  ];
  for (const [answer, reason] of broken) {
    const { provider, asked } = watched(() => "authOk");
    const first = firstProvider(
      () => "authInvalid",
      answer as AuthProvider,
      provider,
    );
    assertEquals(await outcomeOf(first), ["authFailure", reason]);
    assertEquals(asked.length, 0);
  }
});

Deno.test("firstProvider() asks no more when the client has gone", async () => {
  const { signal, abort, listening } = newCountedSignal();
  const { provider, asked } = watched(() => "authOk");
  const first = firstProvider(() => {
    abort();
    return "authInvalid";
  }, provider);
  assertEquals(await outcomeOf(first, {}, signal), [
    "authFailure",
    "client-gone",
  ]);
  const gone = newCountedSignal();
  const silent = firstProvider(() => new Promise(() => {}), provider);
  const outcome = outcomeOf(silent, {}, gone.signal);
  gone.abort();
  assertEquals(await outcome, ["authFailure", "client-gone"]);
  assertEquals([asked.length, listening(), gone.listening()], [0, 0, 0]);
});

Deno.test("firstProvider() refuses a chain without links", () => {
  const none = assertThrows(() => firstProvider(), TypeError);
  assertEquals(
    none.message,
    "Cannot create provider chain: at least one provider is needed",
  );
  const untyped: AuthProvider = JSON.parse('"ann"');
  const text = assertThrows(
    () => firstProvider(() => "authOk", untyped),
    TypeError,
  );
  assertEquals(
    text.message,
    "Cannot create provider chain: provider 2 must be a function: got a string",
  );
});
