import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";
import { assertEquals } from "../../support/assert.ts";
import { decisionOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { newCountedSignal } from "../../support/counted_signal.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import {
  ask,
  newPatientProvider,
  SHORT_MS,
} from "../../support/http_provider_outcome.ts";
import { octetsOf } from "../../support/octets.ts";
import { spyOnTimers } from "../../support/timer_spy.ts";
import {
  endlessBody,
  type Fetch,
  NEVER,
  recordingFetch,
  URL_TEXT,
  yes,
} from "../../support/recording_fetch.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

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
    await Promise.resolve();
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
