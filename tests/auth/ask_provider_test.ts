import { askProvider } from "../../auth/ask_provider.ts";
import type { ProviderReason } from "../../auth/reasons.ts";
import type {
  AuthDecision,
  AuthProvider,
  AuthRequest,
  AuthResult,
} from "../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertStrictEquals,
} from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";
import { spyOnConsole } from "../support/console_spy.ts";
import { newCountedSignal } from "../support/counted_signal.ts";
import { base64 } from "../support/octets.ts";

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
  const { decision, reason } = await askProvider(
    provider,
    newRequest(),
    signal,
  );
  return [decision, reason];
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

Deno.test("askProvider() takes a yes to nobody for nonsense: neither client nor provider has named a user", async () => {
  const nameless = newRequest({ username: "", mechanism: "OAUTHBEARER" });
  for (const yes of ["authOk", { decision: "authOk" }] as const) {
    assertEquals(await askProvider(() => yes, nameless), {
      decision: "authFailure",
      reason: "provider-nonsense",
      detail: "user",
    });
  }
  const named = { decision: "authOk", user: "ann" } as const;
  assertEquals(await askProvider(() => named, nameless), named);
  for (const no of ["authInvalid", "authFailure"] as const) {
    assertEquals((await askProvider(() => no, nameless)).decision, no);
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
  await Promise.resolve();
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

Deno.test("askProvider() tells a provider that is late from a client that has gone", async () => {
  const late = new DOMException("Too late", "TimeoutError");
  const rows = [
    [late, "backend-timeout"],
    [undefined, "client-gone"],
    [new Error("reset"), "client-gone"],
  ] as const;
  for (const [reason, expected] of rows) {
    const waiting = new AbortController();
    const asked = outcome(
      () => new Promise<never>(() => {}),
      waiting.signal,
    );
    waiting.abort(reason);
    assertEquals(await asked, ["authFailure", expected]);
    assertEquals(
      await outcome(() => "authOk", AbortSignal.abort(reason)),
      ["authFailure", expected],
    );
  }
});

Deno.test("askProvider() gives an answer its own reason, not that of a failure before (issue 11 D32)", async () => {
  let asked = 0;
  const failing: AuthProvider = () => {
    asked++;
    return asked === 1
      ? { decision: "authFailure", reason: "backend-status", detail: "502" }
      : "authOk";
  };
  const again: AuthProvider = async (request, signal) => {
    const first = await askProvider(failing, request, signal);
    return first.decision === "authFailure"
      ? await askProvider(failing, request, signal)
      : first;
  };
  assertEquals(await askProvider(again, newRequest()), { decision: "authOk" });
  assertEquals(asked, 2);
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

Deno.test("askProvider() hands on a result as a copy that nobody can change", async () => {
  const said = {
    decision: "authOk",
    user: "ann",
    senders: ["ann@example.com"],
    limits: { messagesPerMinute: 1 },
    expiresAt: 1,
    context: { list: [{ a: 1 }] },
    reason: "cached",
    detail: "from before",
  } as const satisfies AuthResult;
  for (const answer of [() => said, () => Promise.resolve(said)]) {
    const result = await askProvider(answer, newRequest());
    assertEquals(result, said);
    assert(result !== said && result.decision === "authOk");
    for (
      const part of [result, result.senders, result.limits, result.context]
    ) {
      assert(Object.isFrozen(part));
    }
  }
});

Deno.test("askProvider() tells the log what a provider threw", async () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [new Error("the database is down"), "Error: the database is down"],
    [new TypeError("x is not a function"), "TypeError: x is not a function"],
    ["a string", "a string"],
    [undefined, "unknown"],
    [{ message: "an object" }, "unknown"],
    [new Error("x".repeat(5000)), `Error: ${"x".repeat(993)}`],
    [
      Object.defineProperty(new Error(), "message", {
        get() {
          throw new Error("even its text");
        },
      }),
      "unknown",
    ],
  ];
  for (const [error, detail] of rows) {
    for (
      const provider of [
        () => {
          throw error;
        },
        () => Promise.reject(error),
      ]
    ) {
      assertEquals(await askProvider(provider, newRequest()), {
        decision: "authFailure",
        reason: "provider-error",
        detail,
      });
    }
  }
});

Deno.test("askProvider() shows nobody a password in what a provider threw or told", async () => {
  using written = spyOnConsole();
  const request = newRequest({ password: 'corr"ect hörse' });
  const rows: readonly ((password: string) => string)[] = [
    (password) => `no such user: ann ${password}`,
    (password) => `bad query: ${JSON.stringify(password)}`,
    (password) => `GET /?pass=${encodeURIComponent(password)} failed`,
    (password) => `GET /?${new URLSearchParams({ password })} failed`,
    (password) => `Basic ${base64(`ann:${password}`)} is wrong`,
    (password) => `AUTH PLAIN ${base64(`\0ann\0${password}`)} is wrong`,
    (password) => `${base64(password)} is wrong`,
  ];
  for (const text of rows) {
    const detail = "withheld: it repeats the password";
    assertEquals(
      await askProvider(({ password }) => {
        throw new Error(text(password));
      }, request),
      { decision: "authFailure", reason: "provider-error", detail },
      text(request.password),
    );
    assertEquals(
      await askProvider(
        ({ password }) => ({ decision: "authOk", detail: text(password) }),
        request,
      ),
      { decision: "authOk", detail },
    );
  }
  assertFalse(written.text().includes("hörse"));
  assertEquals(written.text(), "");
});
