import { byMechanism } from "../../../auth/providers/by_mechanism.ts";
import type { AuthProvider } from "../../../auth/types.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import { outcomeOf, watched } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

Deno.test("byMechanism() asks the one provider of the mechanism", async () => {
  const passwords = watched(() => "authInvalid");
  const tokens = watched(() => ({ decision: "authOk", user: "backup" }));
  const provider = byMechanism({
    PLAIN: passwords.provider,
    login: passwords.provider,
    OAuthBearer: tokens.provider,
  });
  const rows = [
    ["PLAIN", 1, 0],
    ["LOGIN", 2, 0],
    ["OAUTHBEARER", 2, 1],
  ] as const;
  for (const [mechanism, ...counts] of rows) {
    assertEquals(
      await provider(newRequest({ mechanism })),
      mechanism === "OAUTHBEARER"
        ? { decision: "authOk", user: "backup" }
        : { decision: "authInvalid" },
    );
    assertEquals([passwords.asked.length, tokens.asked.length], counts);
  }
});

Deno.test("byMechanism() takes credentials that nobody looks at for no wrong ones", async () => {
  const provider = byMechanism({ PLAIN: () => "authInvalid" });
  for (const mechanism of ["XOAUTH2", "", "toString", "__proto__"]) {
    assertEquals(await outcomeOf(provider, { mechanism }), [
      "authFailure",
      "no-provider",
    ]);
  }
  const others = byMechanism({}, () => "authOk");
  assertEquals(await outcomeOf(others, { mechanism: "X" }), ["authOk", "ok"]);
});

Deno.test("byMechanism() guards each provider, and heeds the signal", async () => {
  const provider = byMechanism({ PLAIN: () => JSON.parse("!") });
  assertEquals(await outcomeOf(provider), ["authFailure", "provider-error"]);
  const silent = byMechanism({ PLAIN: () => new Promise<never>(() => {}) });
  const gone = new AbortController();
  const outcome = outcomeOf(silent, {}, gone.signal);
  gone.abort();
  assertEquals(await outcome, ["authFailure", "client-gone"]);
});

Deno.test("byMechanism() refuses a table that cannot be meant", () => {
  const action = "Cannot create providers by mechanism";
  const text: AuthProvider = JSON.parse('"ann"');
  const yes: AuthProvider = () => "authOk";
  const names = 'mechanisms must be 1 to 20 letters, digits, "-" and "_"';
  const rows: readonly [Record<string, AuthProvider>, string][] = [
    [{}, "at least one provider is needed"],
    [{ "": yes }, `${names}: got ""`],
    [{ "PLAIN LOGIN": yes }, `${names}: got "PLAIN LOGIN"`],
    [{ PLAIN: yes, plain: yes }, "PLAIN must come once"],
    [{ PLAIN: text }, "PLAIN must be a function: got a string"],
  ];
  for (const [table, rule] of rows) {
    const error = assertThrows(() => byMechanism(table), TypeError);
    assertEquals(error.message, `${action}: ${rule}`);
  }
  const error = assertThrows(() => byMechanism({}, text), TypeError);
  assertEquals(
    error.message,
    `${action}: others must be a function: got a string`,
  );
});
