import { askNow, askProvider } from "../../auth/ask_provider.ts";
import { explain, type ProviderReason, reasonOf } from "../../auth/reasons.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthRequest,
} from "../../auth/types.ts";
import {
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertStrictEquals,
} from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";
import { spyOnConsole } from "../support/console_spy.ts";
import { newCountedSignal } from "../support/counted_signal.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const DECISIONS = ["authOk", "authInvalid", "authFailure"] as const;

/** A provider as a caller without types may write it. */
function untyped(answer: () => unknown): AuthProvider {
  return () => answer() as AuthDecision;
}

/** Asks with a request of its own; tells the decision and the reason. */
async function outcome(
  provider: AuthProvider,
  signal?: AbortSignal,
): Promise<[AuthDecision, ProviderReason | undefined]> {
  const request = newRequest();
  const decision = await askProvider(provider, request, signal);
  return [decision, reasonOf(request)];
}

Deno.test("askProvider() hands on a decision, sync or async", async () => {
  for (const decision of DECISIONS) {
    const thenable = {
      then: (take: (d: AuthDecision) => void) => take(decision),
    };
    const providers: AuthProvider[] = [
      () => decision,
      () => Promise.resolve(decision),
      async () => {
        await Promise.resolve();
        return decision;
      },
      untyped(() => thenable),
    ];
    for (const provider of providers) {
      for (const signal of [undefined, new AbortController().signal]) {
        assertEquals(await outcome(provider, signal), [decision, undefined]);
      }
    }
  }
});

Deno.test("askNow() tells at once what is known at once", () => {
  const rows = [
    [() => "authOk", "authOk", undefined],
    [() => "authInvalid", "authInvalid", undefined],
    [() => "authFailure", "authFailure", undefined],
    [() => JSON.parse("!"), "authFailure", "provider-error"],
  ] as const;
  for (const [answer, decision, reason] of rows) {
    const { signal, added } = newCountedSignal();
    const request = newRequest();
    assertEquals(askNow(untyped(answer), request, signal), decision);
    assertEquals(reasonOf(request), reason);
    assertEquals(added(), 0, "there is nothing to watch");
  }
  const request = newRequest();
  assertEquals(
    askNow(() => "authOk", request, AbortSignal.abort()),
    "authFailure",
  );
  assertEquals(reasonOf(request), "client-gone");
});

Deno.test("askNow() waits for what is known later, and never rejects", async () => {
  const rows = [
    [() => Promise.resolve("authOk"), "authOk", undefined],
    [() => Promise.resolve("ok"), "authFailure", "provider-nonsense"],
    [() => Promise.reject(new Error("down")), "authFailure", "provider-error"],
    [() => "ok", "authFailure", "provider-nonsense"],
  ] as const;
  for (const [answer, decision, reason] of rows) {
    const request = newRequest();
    const later = askNow(untyped(answer), request);
    assertInstanceOf(later, Promise);
    assertEquals(await later, decision);
    assertEquals(reasonOf(request), reason);
  }
});

Deno.test("askProvider() hands the very request and signal to the provider", async () => {
  const request = Object.freeze(newRequest());
  const { signal } = new AbortController();
  const asked: [AuthRequest, AbortSignal | undefined][] = [];
  const provider: AuthProvider = (r, s) => {
    asked.push([r, s]);
    return "authOk";
  };
  await askProvider(provider, request, signal);
  await askProvider(provider, request);
  assertEquals(asked.length, 2);
  assertStrictEquals(asked[0]?.[0], request);
  assertStrictEquals(asked[0]?.[1], signal);
  assertStrictEquals(asked[1]?.[0], request);
  assertStrictEquals(asked[1]?.[1], undefined);
});

Deno.test("askProvider() takes a provider that throws or rejects as authFailure", async () => {
  const errors: readonly unknown[] = [
    new Error("the database is down"),
    "a string",
    undefined,
    null,
    "authOk",
    { authOk: "authOk" },
    new DOMException("aborted by itself", "AbortError"),
  ];
  for (const error of errors) {
    const providers: AuthProvider[] = [
      () => {
        throw error;
      },
      () => Promise.reject(error),
      async () => {
        await Promise.resolve();
        throw error;
      },
      untyped(() => ({
        then() {
          throw error;
        },
      })),
      untyped(() => ({
        get then() {
          throw error;
        },
      })),
    ];
    for (const provider of providers) {
      for (const signal of [undefined, new AbortController().signal]) {
        assertEquals(
          await outcome(provider, signal),
          ["authFailure", "provider-error"],
          Deno.inspect(error),
        );
      }
    }
  }
});

Deno.test("askProvider() takes nonsense as authFailure", async () => {
  const answers: readonly unknown[] = [
    undefined,
    null,
    true,
    false,
    0,
    1,
    235,
    1n,
    NaN,
    Symbol("authOk"),
    "",
    "ok",
    "AuthOk",
    "authok",
    "authOk ",
    "constructor",
    "__proto__",
    new String("authOk"),
    ["authOk"],
    {},
    { ok: true },
    { authOk: "authOk" },
    { toString: () => "authOk" },
    () => "authOk",
    new Error("authOk"),
  ];
  for (const answer of answers) {
    const providers = [
      untyped(() => answer),
      untyped(() => Promise.resolve(answer)),
    ];
    for (const provider of providers) {
      for (const signal of [undefined, new AbortController().signal]) {
        assertEquals(
          await outcome(provider, signal),
          ["authFailure", "provider-nonsense"],
          Deno.inspect(answer),
        );
      }
    }
  }
});

Deno.test("askProvider() takes something that is no function as authFailure", async () => {
  for (const text of ["null", "{}", '"authOk"']) {
    assertEquals(await outcome(JSON.parse(text)), [
      "authFailure",
      "provider-error",
    ]);
  }
});

Deno.test("askProvider() does not ask for a client that has gone", async () => {
  let asked = 0;
  const provider: AuthProvider = () => {
    asked++;
    return "authOk";
  };
  const decided = await outcome(provider, AbortSignal.abort());
  assertEquals(decided, ["authFailure", "client-gone"]);
  assertEquals(asked, 0);
});

Deno.test("askProvider() does not wait for a provider once the client has gone", async () => {
  const { signal, abort, added, listening } = newCountedSignal();
  const asked = outcome(() => new Promise<never>(() => {}), signal);
  assertEquals(listening(), 1);
  abort();
  assertEquals(await asked, ["authFailure", "client-gone"]);
  assertEquals([added(), listening()], [1, 0]);
});

Deno.test("askProvider() does not wait for a provider whose asking made the client go", async () => {
  const { signal, abort, listening } = newCountedSignal();
  const asked = outcome(() => {
    abort();
    return new Promise<never>(() => {});
  }, signal);
  assertEquals(await asked, ["authFailure", "client-gone"]);
  assertEquals(listening(), 0);
});

Deno.test("askProvider() ignores what a provider says after the client has gone", async () => {
  for (const late of ["authOk", "authInvalid", "nonsense", "error"]) {
    const { signal, abort } = newCountedSignal();
    const answer = Promise.withResolvers<unknown>();
    const asked = outcome(untyped(() => answer.promise), signal);
    abort();
    // A rejection that comes too late must not go unhandled either.
    if (late === "error") answer.reject(new Error("too late"));
    else answer.resolve(late);
    assertEquals(await asked, ["authFailure", "client-gone"], late);
  }
});

Deno.test("askProvider() calls it the client's doing if a provider rejects on abort", async () => {
  const { signal, abort, listening } = newCountedSignal();
  const provider: AuthProvider = (_request, heard) =>
    new Promise((_resolve, reject) => {
      heard?.addEventListener("abort", () => reject(heard.reason), {
        once: true,
      });
    });
  const asked = outcome(provider, signal);
  abort();
  assertEquals(await asked, ["authFailure", "client-gone"]);
  assertEquals(listening(), 0);
});

Deno.test("askProvider() takes its listener off whatever comes", async () => {
  const answers: readonly (() => Promise<unknown>)[] = [
    () => Promise.resolve("authOk"),
    () => Promise.resolve("authInvalid"),
    () => Promise.resolve("nonsense"),
    () => Promise.reject(new Error("down")),
  ];
  for (const answer of answers) {
    const { signal, added, listening } = newCountedSignal();
    await outcome(untyped(answer), signal);
    await Promise.resolve(); // the clean-up may come one turn behind the answer
    assertEquals(listening(), 0);
    assertEquals(added() <= 1, true);
  }
});

Deno.test("askProvider() can use one signal for a whole connection", async () => {
  const { signal, listening, abort } = newCountedSignal();
  for (let i = 0; i < 50; i++) {
    await outcome(() => Promise.resolve("authInvalid"), signal);
  }
  await Promise.resolve();
  assertEquals(listening(), 0);
  abort();
  assertEquals(await outcome(() => "authOk", signal), [
    "authFailure",
    "client-gone",
  ]);
});

Deno.test("askProvider() keeps the reason that the provider has given", async () => {
  const rows = [
    ["backend-timeout", "authFailure"],
    ["ok", "authOk"],
    ["wrong-credentials", "authInvalid"],
  ] as const;
  for (const [reason, decision] of rows) {
    const provider: AuthProvider = (request) => {
      explain(request, reason);
      return Promise.resolve(decision);
    };
    assertEquals(await outcome(provider), [decision, reason]);
  }
});

Deno.test("askProvider() shows nobody what a provider threw", async () => {
  using written = spyOnConsole();
  const leaky: AuthProvider = (request) => {
    throw new Error(`no such user: ${request.username} ${request.password}`);
  };
  const later: AuthProvider = (request) =>
    Promise.reject(new Error(request.password));
  assertEquals(await outcome(leaky), ["authFailure", "provider-error"]);
  assertEquals(await outcome(later), ["authFailure", "provider-error"]);
  assertFalse(written.text().includes("correct horse"));
  assertEquals(written.text(), "");
});
