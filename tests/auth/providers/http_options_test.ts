import {
  type HTTPAuthProviderOptions,
  newHTTPAuthProvider,
} from "../../../auth/providers/http.ts";
import {
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "../../support/assert.ts";
import { decisionOf } from "../../support/asked_provider.ts";
import { newRequest } from "../../support/auth_request.ts";
import { spyOnConsole } from "../../support/console_spy.ts";
import { ANSWERS } from "../../support/http_answers.ts";
import {
  ask,
  newPatientProvider,
  SHORT_MS,
} from "../../support/http_provider_outcome.ts";
import { base64 } from "../../support/octets.ts";
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
