import {
  type HTTPAuthProviderOptions,
  newHTTPAuthProvider,
} from "../../../auth/providers/http.ts";
import type { AuthRequest } from "../../../auth/types.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "../../support/assert.ts";
import { decisionOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { spyOnConsole } from "../../support/console_spy.ts";
import { newCountedSignal } from "../../support/counted_signal.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { ANSWER_HEADERS, ANSWERS } from "../../support/http_answers.ts";
import {
  ask,
  newPatientProvider,
  SHORT_MS,
} from "../../support/http_provider_outcome.ts";
import { base64, octetsOf } from "../../support/octets.ts";
import { spyOnTimers } from "../../support/timer_spy.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const URL_TEXT = "https://intranet.example/may-send?from=smtp";
const NEVER = new Promise<never>(() => {});

type Fetch = typeof globalThis.fetch;

/** A `fetch` that answers so, and notes how it was called. */
function recordingFetch(answer: () => Response) {
  const calls: (readonly [Parameters<Fetch>[0], RequestInit])[] = [];
  const fetch: Fetch = (input, init = {}) => {
    calls.push([input, init]);
    return Promise.resolve(answer());
  };
  return { calls, fetch };
}

const yes = () => Response.json({ ok: true });

/** A body that never comes to an end, and tells when it is cancelled. */
function endlessBody(start: string) {
  const cancelled = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(octetsOf(start)),
    cancel: () => cancelled.resolve(),
  });
  return { body, cancelled: cancelled.promise };
}

Deno.test("newHTTPAuthProvider() POSTs exactly what the contract says", async () => {
  const { calls, fetch } = recordingFetch(yes);
  const provider = newPatientProvider(URL_TEXT, { fetch });
  assertEquals(await ask(provider), ["authOk", "ok"]);
  assertEquals(calls.length, 1);
  const [[input, init] = ["", {}] as const] = calls;
  assertEquals(input, URL_TEXT);
  assertEquals(init.method, "POST");
  assertEquals(init.redirect, "manual");
  assertEquals([...new Headers(init.headers)], [
    ["accept", "application/json"],
    ["content-type", "application/json"],
  ]);
  assertEquals(JSON.parse(String(init.body)), {
    username: "ann",
    password: "correct horse",
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "laptop",
  });
  assert(init.signal instanceof AbortSignal);
  assertFalse(init.signal.aborted);
});

Deno.test("newHTTPAuthProvider() sends a token as a bearer token, and no other time", async () => {
  const { calls, fetch } = recordingFetch(yes);
  for (const bearerToken of ["abc.DEF-_~+/012=", "!", "x".repeat(4_096)]) {
    await ask(newPatientProvider(URL_TEXT, { fetch, bearerToken }));
    const [, init = {}] = calls.at(-1) ?? [];
    assertEquals([...new Headers(init.headers)], [
      ["accept", "application/json"],
      ["authorization", `Bearer ${bearerToken}`],
      ["content-type", "application/json"],
    ]);
    assertFalse(String(init.body).includes(bearerToken));
  }
});

Deno.test("newHTTPAuthProvider() sends five members, whatever else a request has", async () => {
  const { calls, fetch } = recordingFetch(yes);
  const provider = newPatientProvider(URL_TEXT, { fetch });
  class Odd implements AuthRequest {
    readonly username = "ann";
    readonly password = "secret";
    readonly mechanism = "LOGIN";
    readonly remoteIp = "2001:db8::7";
    readonly heloName = "";
    readonly authzid = "bob";
    readonly session = { key: "canary" };
    toJSON() {
      return { canary: true };
    }
  }
  await provider(new Odd());
  const [[, init] = [, {}] as const] = calls;
  assertEquals(JSON.parse(String(init?.body)), {
    username: "ann",
    password: "secret",
    mechanism: "LOGIN",
    remoteIp: "2001:db8::7",
    heloName: "",
  });
});

Deno.test("newHTTPAuthProvider() carries every character in JSON", async () => {
  const { calls, fetch } = recordingFetch(yes);
  const provider = newPatientProvider(URL_TEXT, { fetch });
  const password =
    '"\\/\b\f\n\r\t\u0001\u007f\u0085\u2028\u2029\ufeff\u00e4\u732b\u{1f431}","ok":true';
  const request = newRequest({
    username: "__proto__",
    password,
    heloName: '"}{',
  });
  await provider(request);
  const [[, init] = [, {}] as const] = calls;
  assertEquals(JSON.parse(String(init?.body)), { ...request });
});

Deno.test("newHTTPAuthProvider() reads every answer as the contract says", async () => {
  for (const [status, body, decision, reason] of ANSWERS) {
    const { fetch } = recordingFetch(() => new Response(body, { status }));
    assertEquals(
      await ask(newPatientProvider(URL_TEXT, { fetch })),
      [decision, reason],
      `${status} ${body?.slice(0, 80)} ${body?.length}`,
    );
  }
});

Deno.test("newHTTPAuthProvider() takes a wrong token of its own for no wrong password", async () => {
  const ours = [
    'Bearer error="invalid_token"',
    'Bearer realm="example", error="invalid_token", error_description="The access token expired"',
    "bearer error=invalid_token",
    'Bearer realm="a, b \\" c", scope="x y",error = "invalid_token"',
    'Basic realm="x", Bearer error="invalid_token"',
    'Bearer realm="x", error="invalid_token", Basic realm="y"',
    'Negotiate abc==, Bearer error="invalid_token"',
  ];
  const users = [
    "",
    "Bearer",
    'Bearer realm="example"',
    'Bearer error="invalid_request"',
    'Bearer error="insufficient_scope", error_description="invalid_token"',
    'Basic realm="example"',
    'Basic realm="Bearer error=invalid_token"',
    'Basic error="invalid_token"',
    'Bearer realm="x", Basic error="invalid_token"',
    'Bearer realm="error=\\"invalid_token\\""',
    "invalid_token",
  ];
  const answer = async (challenge: string, status: number) => {
    const headers = { "www-authenticate": challenge };
    const fetch: Fetch = () =>
      Promise.resolve(new Response("no", { status, headers }));
    const provider = newPatientProvider(URL_TEXT, { fetch });
    const { decision, reason } = await provider(newRequest());
    return [decision, reason];
  };
  for (const challenge of ours) {
    assertEquals(await answer(challenge, 401), [
      "authFailure",
      "backend-token",
    ], challenge);
    assertEquals((await answer(challenge, 403))[0], "authInvalid");
  }
  for (const challenge of users) {
    assertEquals(await answer(challenge, 401), [
      "authInvalid",
      undefined,
    ], challenge);
  }
});

Deno.test("newHTTPAuthProvider() ignores the content-type of an answer", async () => {
  for (const headers of ANSWER_HEADERS) {
    for (const ok of [true, false]) {
      const body = JSON.stringify({ ok });
      const { fetch } = recordingFetch(() =>
        new Response(octetsOf(body).slice(), { headers })
      );
      assertEquals(
        await ask(newPatientProvider(URL_TEXT, { fetch })),
        ok ? ["authOk", "ok"] : ["authInvalid", "wrong-credentials"],
      );
    }
  }
});

Deno.test("newHTTPAuthProvider() takes a response of status 0 as a redirect not followed", async () => {
  // What a browser's `redirect: "manual"` gives: an opaque response.
  const { fetch } = recordingFetch(() => Response.error());
  assertEquals(
    await ask(newPatientProvider(URL_TEXT, { fetch })),
    ["authFailure", "backend-redirect"],
  );
});

Deno.test("newHTTPAuthProvider() puts an answer in many chunks together", async () => {
  const octets = octetsOf('{"note":"\u00e4\u732b\u{1f431}","ok":true}');
  const { fetch } = recordingFetch(() =>
    new Response(
      new ReadableStream({
        start(controller) {
          for (const octet of octets) controller.enqueue(Uint8Array.of(octet));
          controller.close();
        },
      }),
    )
  );
  assertEquals(await ask(newPatientProvider(URL_TEXT, { fetch })), [
    "authOk",
    "ok",
  ]);
});

Deno.test("newHTTPAuthProvider() takes a fetch that fails as authFailure", async () => {
  const errors: readonly unknown[] = [
    new TypeError("fetch failed"),
    new DOMException("aborted by itself", "AbortError"),
    undefined,
    "authOk",
    { status: 200, ok: true },
  ];
  for (const error of errors) {
    const fetches: Fetch[] = [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ];
    for (const fetch of fetches) {
      assertEquals(
        await ask(newPatientProvider(URL_TEXT, { fetch })),
        ["authFailure", "backend-unreachable"],
      );
    }
  }
});

Deno.test("newHTTPAuthProvider() takes a fetch that talks nonsense as authFailure", async () => {
  for (
    const text of ["null", "true", '"ok"', '{"status":200}', '{"ok":true}']
  ) {
    const fetch: Fetch = () => Promise.resolve(JSON.parse(text));
    const [decision] = await ask(newPatientProvider(URL_TEXT, { fetch }));
    assertEquals(decision, "authFailure", text);
  }
});

Deno.test("newHTTPAuthProvider() takes a body that breaks off as authFailure", async () => {
  for (const status of [200, 401, 403, 500]) {
    const { fetch } = recordingFetch(() => {
      let sent = false;
      return new Response(
        new ReadableStream({
          pull(controller) {
            if (sent) controller.error(new TypeError("reset"));
            else controller.enqueue(octetsOf('{"ok":true}'));
            sent = true;
          },
        }),
        { status },
      );
    });
    assertEquals(
      await ask(newPatientProvider(URL_TEXT, { fetch })),
      ["authFailure", "backend-unreachable"],
      String(status),
    );
  }
});

Deno.test("newHTTPAuthProvider() cancels the rest of a body over 64 KiB", async () => {
  for (const status of [200, 302, 401, 403, 404, 500]) {
    let pulled = 0;
    const cancelled = Promise.withResolvers<void>();
    const { fetch } = recordingFetch(() =>
      new Response(
        new ReadableStream({
          pull(controller) {
            pulled++;
            controller.enqueue(octetsOf(" ".repeat(1_024)));
          },
          cancel: () => cancelled.resolve(),
        }),
        { status },
      )
    );
    assertEquals(
      await ask(newPatientProvider(URL_TEXT, { fetch })),
      ["authFailure", "backend-size"],
      String(status),
    );
    await mustHappen(cancelled.promise, "the body is cancelled");
    assert(pulled <= 66, `64 KiB, one more, and one queued: ${pulled}`);
  }
});

Deno.test("newHTTPAuthProvider() reads every answer to its end, so that nothing leaks", async () => {
  for (const status of [200, 201, 302, 401, 403, 404, 500]) {
    const responses: Response[] = [];
    const { fetch } = recordingFetch(() => {
      const response = new Response('{"ok":true}', { status });
      responses.push(response);
      return response;
    });
    await ask(newPatientProvider(URL_TEXT, { fetch }));
    assertEquals(responses.map((r) => r.bodyUsed), [true], String(status));
  }
});

Deno.test("newHTTPAuthProvider() gives up in time on a fetch that hangs", async () => {
  const signals: (AbortSignal | null | undefined)[] = [];
  const hanging: Fetch[] = [
    // One that heeds its signal, as the real one does, and one that does not.
    (_input, init) => {
      signals.push(init?.signal);
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener(
          "abort",
          () => reject(init.signal?.reason),
        );
      });
    },
    (_input, init) => {
      signals.push(init?.signal);
      return NEVER;
    },
  ];
  for (const fetch of hanging) {
    assertEquals(
      await ask(newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: SHORT_MS })),
      ["authFailure", "backend-timeout"],
    );
  }
  assertEquals(signals.map((signal) => signal?.aborted), [true, true]);
});

Deno.test("newHTTPAuthProvider() gives up in time on a body that hangs, whatever the status", async () => {
  for (const status of [200, 302, 401, 403, 500]) {
    for (const start of ["", '{"ok":', '{"ok":true}']) {
      const { body, cancelled } = endlessBody(start);
      const { fetch } = recordingFetch(() => new Response(body, { status }));
      assertEquals(
        await ask(newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: 5 })),
        ["authFailure", "backend-timeout"],
        `${status} ${start}`,
      );
      await mustHappen(cancelled, "the body is cancelled");
    }
  }
});

Deno.test("newHTTPAuthProvider() has one time limit for headers and body together", async () => {
  // 30 pieces, each at least 5 ms after the one before: each in time, all late.
  let pieces = 0;
  const fetch: Fetch = async () => {
    await pause();
    return new Response(
      new ReadableStream({
        async pull(controller) {
          await pause();
          if (++pieces < 30) return controller.enqueue(octetsOf(" "));
          controller.enqueue(octetsOf('{"ok":true}'));
          controller.close();
        },
      }, { highWaterMark: 0 }),
    );
  };
  let lastPause: Promise<void> = Promise.resolve();
  const pause = () => {
    lastPause = new Promise((resolve) => setTimeout(resolve, 5));
    return lastPause;
  };
  assertEquals(
    await ask(newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: SHORT_MS })),
    ["authFailure", "backend-timeout"],
  );
  await lastPause;
});

Deno.test("newHTTPAuthProvider() cancels an answer that comes after its time", async () => {
  const late = Promise.withResolvers<Response>();
  const fetch: Fetch = () => late.promise;
  const provider = newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: 5 });
  assertEquals(await ask(provider), ["authFailure", "backend-timeout"]);
  const { body, cancelled } = endlessBody('{"ok":true}');
  late.resolve(new Response(body));
  await mustHappen(cancelled, "the late body is cancelled");
});

Deno.test("newHTTPAuthProvider() leaves no rejection behind that comes after its time", async () => {
  const late = Promise.withResolvers<Response>();
  const fetch: Fetch = () => late.promise;
  const provider = newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: 5 });
  assertEquals(await ask(provider), ["authFailure", "backend-timeout"]);
  late.reject(new TypeError("too late")); // unhandled, it would fail this test
  await late.promise.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 0));
});

Deno.test("newHTTPAuthProvider() waits 1200 ms if nothing else is said", async () => {
  using timers = spyOnTimers();
  const { fetch } = recordingFetch(yes);
  await newHTTPAuthProvider(URL_TEXT, { fetch })(newRequest());
  await newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: 77 })(newRequest());
  assertEquals(timers.delays(), [1_200, 77]);
});

Deno.test("newHTTPAuthProvider() does not ask for a client that has gone", async () => {
  const { calls, fetch } = recordingFetch(yes);
  const provider = newPatientProvider(URL_TEXT, { fetch });
  assertEquals(await ask(provider, AbortSignal.abort()), [
    "authFailure",
    "client-gone",
  ]);
  assertEquals(calls.length, 0);
});

Deno.test("newHTTPAuthProvider() cancels its request when the client goes", async () => {
  const heeding: Fetch = (_input, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener(
        "abort",
        () => reject(init.signal?.reason),
      );
    });
  const deaf: Fetch = () => NEVER;
  for (const behaviour of [heeding, deaf]) {
    const { signal, abort, listening } = newCountedSignal();
    let given: AbortSignal | null | undefined;
    const fetch: Fetch = (input, init) => {
      given = init?.signal;
      return behaviour(input, init);
    };
    const asked = ask(newPatientProvider(URL_TEXT, { fetch }), signal);
    assertEquals([given?.aborted, listening()], [false, 1]);
    abort();
    assertEquals(await asked, ["authFailure", "client-gone"]);
    assertEquals([given?.aborted, listening()], [true, 0]);
  }
});

Deno.test("newHTTPAuthProvider() cancels the body when the client goes", async () => {
  for (const status of [200, 401]) {
    const controller = new AbortController();
    const reading = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      pull: () => reading.resolve(),
      cancel: () => cancelled.resolve(),
    }, { highWaterMark: 0 });
    const { fetch } = recordingFetch(() => new Response(body, { status }));
    const asked = ask(
      newPatientProvider(URL_TEXT, { fetch }),
      controller.signal,
    );
    await mustHappen(reading.promise, "the body is read");
    controller.abort();
    assertEquals(await asked, ["authFailure", "client-gone"]);
    await mustHappen(cancelled.promise, "the body is cancelled");
  }
});

Deno.test("newHTTPAuthProvider() hears of a client that goes while fetch is called", async () => {
  const controller = new AbortController();
  const fetch: Fetch = () => {
    controller.abort();
    return NEVER;
  };
  const provider = newPatientProvider(URL_TEXT, { fetch });
  assertEquals(await ask(provider, controller.signal), [
    "authFailure",
    "client-gone",
  ]);
});

Deno.test("newHTTPAuthProvider() takes its listener off whatever comes", async () => {
  const fetches: Fetch[] = [
    () => Promise.resolve(yes()),
    () => Promise.resolve(new Response("no", { status: 401 })),
    () => Promise.resolve(new Response(" ".repeat(70_000))),
    () => Promise.reject(new TypeError("down")),
    () => NEVER,
  ];
  const { signal, added, listening } = newCountedSignal();
  for (const fetch of fetches) {
    await ask(
      newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs: SHORT_MS }),
      signal,
    );
    assertEquals(listening(), 0);
  }
  assertEquals(added(), fetches.length);
});

Deno.test("newHTTPAuthProvider() keeps simultaneous requests apart", async () => {
  const answers = new Map<string, PromiseWithResolvers<Response>>();
  const fetch: Fetch = (_input, init) => {
    const answer = Promise.withResolvers<Response>();
    answers.set(JSON.parse(String(init?.body)).username, answer);
    return answer.promise;
  };
  const provider = newPatientProvider(URL_TEXT, { fetch });
  const names = ["ann", "bob", "cat", "dan"];
  const asked = names.map((username) =>
    decisionOf(provider, newRequest({ username }))
  );
  answers.get("dan")?.resolve(Response.json({ ok: false }));
  answers.get("ann")?.resolve(Response.json({ ok: true }));
  answers.get("cat")?.reject(new TypeError("down"));
  answers.get("bob")?.resolve(new Response(null, { status: 500 }));
  assertEquals(await Promise.all(asked), [
    "authOk",
    "authFailure",
    "authFailure",
    "authInvalid",
  ]);
});

Deno.test("newHTTPAuthProvider() uses the global fetch of the moment", async () => {
  const { calls, fetch } = recordingFetch(yes);
  const provider = newPatientProvider(URL_TEXT, {});
  const original = globalThis.fetch;
  globalThis.fetch = fetch;
  try {
    assertEquals(await ask(provider), ["authOk", "ok"]);
  } finally {
    globalThis.fetch = original;
  }
  assertEquals(calls.map(([input]) => input), [URL_TEXT]);
});

Deno.test("newHTTPAuthProvider() takes http: and https: URLs, as text or as URL", async () => {
  const { calls, fetch } = recordingFetch(yes);
  const changing = new URL("http://127.0.0.1:8080/a?b=c");
  const providers = [
    newPatientProvider("http://[::1]:8080", { fetch }),
    newPatientProvider("HTTPS://Intranet.Example/Auth", { fetch }),
    newPatientProvider(changing, { fetch }),
  ];
  changing.host = "elsewhere.example";
  for (const provider of providers) {
    assertEquals(await ask(provider), ["authOk", "ok"]);
  }
  assertEquals(calls.map(([input]) => input), [
    "http://[::1]:8080/",
    "https://intranet.example/Auth",
    "http://127.0.0.1:8080/a?b=c",
  ]);
});

/** Fails unless nothing that an error shows has these words in it. */
function assertSilent(
  error: Error,
  words: readonly string[],
  what: string,
): void {
  // The inspected form has the stack, the cause and extra members too.
  const shown = [Deno.inspect(error), String(error), JSON.stringify(error)]
    .join("\n");
  for (const word of words) {
    for (const form of [word, encodeURIComponent(word), base64(word)]) {
      assertFalse(shown.includes(form), `${what}: ${shown}`);
    }
  }
}

Deno.test("newHTTPAuthProvider() refuses URLs that it cannot use, unquoted", () => {
  const must = "url must be an absolute http: or https: URL";
  const begin = "url must begin with http: or https:";
  const credentials = "url must not contain credentials; use bearerToken";
  const blocked = "url must not have a port that fetch blocks: got";
  const urls = [
    ["", must],
    ["canary-user", must],
    ["/canary-user", must],
    ["//canary-user:canary-pass@intranet.example/", must],
    ["intranet.example/canary-user", must],
    ["http://", must],
    ["https://canary-user:canary-pass@", must],
    ["https://canary-user:canary-pass@[::1/", must],
    ["https://canary-user:canary-pass@intranet.example:99999/", must],
    ["https://canary-user:canary-pass@intra net.example/", must],
    ["ftp://canary-user:canary-pass@intranet.example/", begin],
    ["ws://intranet.example/canary-user", begin],
    ["file:///canary-user", begin],
    ["data:application/json,canary-user", begin],
    ["javascript:'canary-user'", begin],
    ["localhost:8080/canary-user", begin],
    ["blob:https://intranet.example/canary-user", begin],
    ["http://intranet.example:10080/canary-user", `${blocked} 10080`],
    ["https://intranet.example:6000/canary-user", `${blocked} 6000`],
    ["https://canary-user@intranet.example/", credentials],
    ["https://canary-user:canary-pass@intranet.example/", credentials],
    ["https://:canary-pass@intranet.example/", credentials],
    ["http:canary-user:canary-pass@intranet.example/", credentials],
    ["https:\\\\canary-user:canary-pass@intranet.example", credentials],
    ["https://canary-%75ser:canary-%70ass@intranet.example/", credentials],
  ] as const;
  for (const [url, rule] of urls) {
    const tries: (string | URL)[] = URL.canParse(url)
      ? [url, new URL(url)]
      : [url];
    for (const tried of tries) {
      const error = assertThrows(
        () => newHTTPAuthProvider(tried, { bearerToken: "canary-token" }),
        TypeError,
      );
      assertEquals(error.message, `Cannot create HTTP provider: ${rule}`, url);
      assertSilent(error, [
        "canary-user",
        "canary-pass",
        "canary-token",
        "canary-%75ser",
      ], url);
    }
  }
});

Deno.test("newHTTPAuthProvider() refuses tokens that no header can carry, unquoted", () => {
  const tokens = [
    "",
    " ",
    " canary-token",
    "canary-token ",
    "canary token",
    "canary-token\n",
    "canary-token\r\nx-evil: 1",
    "canary-token\0",
    "canary-token\t",
    "canary-token\u007f",
    "canary-tok\u00ebn",
    "canary-token\u2026",
  ];
  for (const bearerToken of tokens) {
    const error = assertThrows(
      () => newHTTPAuthProvider(URL_TEXT, { bearerToken }),
      TypeError,
    );
    const got = bearerToken === "" ? "an empty string" : "a string";
    assertEquals(
      error.message,
      `Cannot create HTTP provider: bearerToken must be visible ASCII characters without spaces: got ${got}`,
    );
    assertSilent(error, ["canary", "evil"], JSON.stringify(bearerToken));
  }
  for (
    const text of [
      "null",
      "12345678",
      "true",
      '["canary-token"]',
      '{"canary-token":1}',
    ]
  ) {
    const options: HTTPAuthProviderOptions = { bearerToken: JSON.parse(text) };
    const error = assertThrows(
      () => newHTTPAuthProvider(URL_TEXT, options),
      TypeError,
    );
    assertSilent(error, ["canary-token", "12345678"], text);
  }
});

Deno.test("newHTTPAuthProvider() refuses time limits that no timer keeps", () => {
  for (
    const timeoutMs of [
      0,
      -0,
      -1,
      -0.5,
      NaN,
      Infinity,
      -Infinity,
      2 ** 31,
      2 ** 53,
      Number.MAX_VALUE,
    ]
  ) {
    const error = assertThrows(
      () => newHTTPAuthProvider(URL_TEXT, { timeoutMs }),
      RangeError,
    );
    assertEquals(
      error.message,
      `Cannot create HTTP provider: timeoutMs must be a number > 0 and <= 2147483647: got ${timeoutMs}`,
    );
  }
});

Deno.test("newHTTPAuthProvider() takes time limits up to the longest timer", async () => {
  const { fetch } = recordingFetch(yes);
  for (const timeoutMs of [1_000.5, 60_000, 2 ** 31 - 1]) {
    assertEquals(
      await ask(newHTTPAuthProvider(URL_TEXT, { fetch, timeoutMs })),
      ["authOk", "ok"],
    );
  }
});

Deno.test("newHTTPAuthProvider() writes nothing and throws nothing, however it fails", async () => {
  using written = spyOnConsole();
  const secrets = ["canary-user", "canary-pass", "canary-token"];
  const [username = "", password = "", bearerToken = ""] = secrets;
  const leaky = new TypeError(`cannot POST ${secrets.join(" ")}`, {
    cause: secrets,
  });
  const fetches: Fetch[] = [
    ...ANSWERS.map(([status, body]): Fetch => () =>
      Promise.resolve(new Response(body, { status }))
    ),
    () => Promise.resolve(new Response(secrets.join(" "))),
    () => Promise.resolve(Response.json({ ok: secrets })),
    () =>
      Promise.resolve(
        new Response(secrets.join(" "), { status: 500, statusText: password }),
      ),
    () => Promise.reject(leaky),
    () => {
      throw leaky;
    },
    () => Promise.resolve(new Response(endlessBody(password).body)),
    () => NEVER,
  ];
  for (const fetch of fetches) {
    const options = { fetch, bearerToken, timeoutMs: SHORT_MS };
    const decision = await decisionOf(
      newHTTPAuthProvider(URL_TEXT, options),
      newRequest({ username, password }),
    );
    assertStringIncludes("authOk authInvalid authFailure", decision);
  }
  assertEquals(written.text(), "");
});
