import type {
  AuthDecision,
  AuthRequest,
  AuthResult,
} from "../../../auth/types.ts";
import type { ServerEvent } from "../../../auth/events.ts";
import {
  nginxAuthHandler,
  type NginxAuthOptions,
} from "../../../adapters/nginx/handler.ts";
import { readNginxQuestion } from "../../../adapters/nginx/protocol.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";

Deno.test.sanitizer({ ops: true, resources: true });

const UPSTREAM = { hostname: "127.0.0.1", port: 2526 };

/** What nginx sends about a login. */
const NGINX: Readonly<Record<string, string>> = {
  "auth-method": "plain",
  "auth-user": "ann",
  "auth-pass": "secret",
  "auth-protocol": "smtp",
  "auth-login-attempt": "1",
  "client-ip": "192.0.2.7",
  "client-host": "[UNAVAILABLE]",
};

function request(headers: Readonly<Record<string, string>> = {}): Request {
  return new Request("http://127.0.0.1/auth", {
    headers: { ...NGINX, ...headers },
  });
}

/** A text as it stands in a header: a character for each octet of its UTF-8. */
function raw(text: string): string {
  return Array.from(
    new TextEncoder().encode(text),
    (octet) => String.fromCharCode(octet),
  ).join("");
}

function answered(response: Response): (string | null)[] {
  return [
    "auth-status",
    "auth-error-code",
    "auth-wait",
    "auth-server",
    "auth-port",
  ]
    .map((name) => response.headers.get(name));
}

Deno.test("nginxAuthHandler() answers as nginx understands it", async () => {
  const rows = [
    ["authOk", ["OK", null, null, "127.0.0.1", "2526"]],
    ["authInvalid", [
      "Authentication credentials invalid",
      "535 5.7.8",
      "3",
      null,
      null,
    ]],
    ["authFailure", [
      "Temporary authentication failure",
      "454 4.7.0",
      null,
      null,
      null,
    ]],
  ] as const;
  for (const [decision, expected] of rows) {
    const handler = nginxAuthHandler(() => decision, { upstream: UPSTREAM });
    const response = await handler(request());
    assertEquals(response.status, 200);
    assertEquals(answered(response), [...expected]);
  }
});

Deno.test("nginxAuthHandler() tells IMAP and POP3 a wrong password from an outage", async () => {
  const text = "Account closed";
  for (
    const [protocol, invalid, failure] of [
      ["imap", "[AUTHENTICATIONFAILED]", "[UNAVAILABLE]"],
      ["pop3", "[AUTH]", "[SYS/TEMP]"],
    ] as const
  ) {
    const asked = request({ "auth-protocol": protocol });
    const status = async (result: AuthDecision | AuthResult, as = asked) => {
      const handler = nginxAuthHandler(() => result, { upstream: UPSTREAM });
      return (await handler(as)).headers.get("auth-status");
    };
    assertEquals(
      await status("authInvalid"),
      `${invalid} Authentication credentials invalid`,
    );
    assertEquals(
      await status({ decision: "authInvalid", text }),
      `${invalid} ${text}`,
    );
    assertEquals(
      await status("authFailure"),
      `${failure} Temporary authentication failure`,
    );
    const apop = request({ "auth-protocol": protocol, "auth-method": "apop" });
    assertEquals(
      await status("authOk", apop),
      "Unrecognized authentication mechanism",
    );
    assertEquals(await status("authOk"), "OK");
  }
});

Deno.test("nginxAuthHandler() tells the provider's own name and text", async () => {
  const ok = nginxAuthHandler(
    () => ({ decision: "authOk", user: "jörg müller@例え.jp" }),
    { upstream: UPSTREAM },
  );
  const { headers } = await ok(request());
  assertEquals(headers.get("auth-user"), raw("jörg müller@例え.jp"));
  const typed = nginxAuthHandler(() => "authOk", { upstream: UPSTREAM });
  assertEquals((await typed(request())).headers.get("auth-user"), null);
  const text = "Account closed, call 555";
  const no = nginxAuthHandler(() => ({ decision: "authInvalid", text }), {
    upstream: UPSTREAM,
  });
  assertEquals(answered(await no(request())).slice(0, 2), [text, "535 5.7.8"]);
});

Deno.test("nginxAuthHandler() asks what nginx says", async () => {
  const seen: AuthRequest[] = [];
  const handler = nginxAuthHandler((request) => {
    seen.push(request);
    return "authOk";
  }, { upstream: UPSTREAM });
  await handler(request({
    "auth-user": raw("jörg@example.com"),
    "auth-pass": raw("p%20ä%25€%09+🔑"),
    "client-ip": "::ffff:192.0.2.7",
  }));
  assertEquals(seen, [{
    username: "jörg@example.com",
    password: "p ä%€\t+🔑",
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "",
  }]);
});

Deno.test("nginxAuthHandler() ends the connection at the last try", async () => {
  const handler = nginxAuthHandler(() => "authInvalid", {
    upstream: UPSTREAM,
    waitSeconds: 5,
    maxAuthFailures: 2,
  });
  for (
    const [attempt, wait] of [["1", "5"], ["2", null], ["9", null]] as const
  ) {
    const response = await handler(request({ "auth-login-attempt": attempt }));
    assertEquals(response.headers.get("auth-wait"), wait);
  }
});

Deno.test("readNginxQuestion() refuses what no user can mean", () => {
  const rows = [
    [{ "auth-method": "cram-md5" }, 504, "unknown-mechanism"],
    [{ "auth-method": "none" }, 504, "unknown-mechanism"],
    [{ "auth-user": "" }, 501, "bad-message"],
    [{ "auth-pass": "" }, 501, "bad-message"],
    [{ "auth-user": "a%0Ab" }, 501, "bad-message"],
    [{ "auth-pass": "a%00b" }, 501, "bad-message"],
    [{ "auth-user": "a%2" }, 501, "bad-message"],
    [{ "auth-user": "a%zz" }, 501, "bad-message"],
    [{ "auth-pass": "\xe4" }, 535, "bad-utf8"],
    [{ "auth-user": "%ff" }, 535, "bad-utf8"],
  ] as const;
  for (const [headers, code, reason] of rows) {
    const { headers: all } = request(headers);
    const read = readNginxQuestion(all);
    assert("kind" in read, JSON.stringify(headers));
    assertEquals([read.code, read.reason], [code, reason]);
  }
});

Deno.test("nginxAuthHandler() takes a wrong secret for an outage", async () => {
  const events: ServerEvent[] = [];
  const handler = nginxAuthHandler(() => "authOk", {
    upstream: UPSTREAM,
    secret: "known-to-both",
    onEvent: (event) => events.push(event),
  });
  for (const headers of [{}, { "x-auth-key": "x" }, { "x-auth-key": "" }]) {
    const response = await handler(request(headers));
    assertEquals(response.headers.get("auth-error-code"), "454 4.7.0");
  }
  const right = await handler(request({ "x-auth-key": "known-to-both" }));
  assertEquals(right.headers.get("auth-status"), "OK");
  assertEquals(
    events.map((event) => event.kind === "auth" && event.reason),
    ["bad-token", "bad-token", "bad-token", "ok"],
  );
  const other = nginxAuthHandler(() => "authOk", {
    upstream: UPSTREAM,
    secret: "s",
    secretHeader: "X-Other",
  });
  const response = await other(request({ "x-other": "s" }));
  assertEquals(response.headers.get("auth-status"), "OK");
});

Deno.test("nginxAuthHandler() has its answer in time", async () => {
  const handler = nginxAuthHandler(
    () => new Promise<AuthDecision>(() => {}),
    { upstream: UPSTREAM, timeoutMs: 30 },
  );
  const response = await handler(request());
  assertEquals(response.headers.get("auth-error-code"), "454 4.7.0");
});

Deno.test("nginxAuthHandler() refuses a bad configuration", () => {
  const rows: readonly (readonly [NginxAuthOptions, string])[] = [
    [{ upstream: { hostname: "localhost", port: 25 } }, "upstream.hostname"],
    [{ upstream: { hostname: "", port: 25 } }, "upstream.hostname"],
    [{ upstream: { hostname: "999.1.1.1", port: 25 } }, "upstream.hostname"],
    [{ upstream: { hostname: ":::::", port: 25 } }, "upstream.hostname"],
    [{ upstream: { hostname: "127.1", port: 25 } }, "upstream.hostname"],
    [{ upstream: UPSTREAM, secret: "" }, "secret must be visible ASCII"],
    [{ upstream: UPSTREAM, secret: "a b" }, "secret must be visible ASCII"],
    [{ upstream: UPSTREAM, secretHeader: "a b" }, "secretHeader must be"],
  ];
  for (const [options, text] of rows) {
    assertThrows(
      () => nginxAuthHandler(() => "authOk", options),
      TypeError,
      `Cannot create nginx auth handler: ${text}`,
    );
  }
  for (
    const options of [
      { upstream: { hostname: "::1", port: 0 } },
      { upstream: UPSTREAM, waitSeconds: 0 },
      { upstream: UPSTREAM, maxAuthFailures: 0 },
      { upstream: UPSTREAM, timeoutMs: -1 },
    ]
  ) assertThrows(() => nginxAuthHandler(() => "authOk", options), RangeError);
});
