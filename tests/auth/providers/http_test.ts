import type { AuthRequest } from "../../../auth/types.ts";
import { assert, assertEquals, assertFalse } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";
import { mustHappen } from "../../../testing/deadline.ts";
import { ANSWER_HEADERS, ANSWERS } from "../../support/http_answers.ts";
import {
  ask,
  newPatientProvider,
} from "../../support/http_provider_outcome.ts";
import { octetsOf } from "../../support/octets.ts";
import {
  type Fetch,
  recordingFetch,
  URL_TEXT,
  yes,
} from "../../support/recording_fetch.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

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
