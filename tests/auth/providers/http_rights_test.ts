// What an answer of the endpoint may carry: DESIGN.md section 7, member by
// member. The rules for each member are results_test.ts's.

import { newHTTPAuthProvider } from "../../../auth/providers/http.ts";
import type { AuthRequest, AuthResult } from "../../../auth/types.ts";
import { assertEquals } from "../../support/assert.ts";
import { newRequest } from "../../support/auth_request.ts";

// Off unless asked for since Deno 2.8: no timer, connection or body may be left.
Deno.test.sanitizer({ ops: true, resources: true });

const NOW = Date.UTC(2026, 0, 1);

/** The result of an answer with a JSON body. */
async function resultOf(
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
  request: Partial<AuthRequest> = {},
): Promise<AuthResult> {
  const provider = newHTTPAuthProvider("https://intranet.example/may-send", {
    fetch: () => Promise.resolve(Response.json(body, { headers })),
    now: () => NOW,
  });
  return await provider(newRequest(request));
}

Deno.test("newHTTPAuthProvider() reads what a yes brings along", async () => {
  const rights = {
    user: "ann@example.com",
    senders: ["ann@example.com", "@team.example"],
    limits: { recipientsPerDay: 100, messagesPerMinute: 0 },
    expiresAt: NOW + 1,
    context: { tenant: 7, tags: ["a", null] },
  };
  assertEquals(await resultOf({ ok: true, ...rights, more: 1 }), {
    decision: "authOk",
    ...rights,
  });
  // Those of a result that are no endpoint's to give.
  const ours = { decision: "authFailure", reason: "cached", detail: "x" };
  assertEquals(await resultOf({ ok: true, ...ours, text: "Hello" }), {
    decision: "authOk",
  });
});

Deno.test("newHTTPAuthProvider() takes a yes with a bad member for a failure that names it", async () => {
  const rows = {
    user: "a\nb",
    senders: ["ann"],
    limits: { recipientsPerHour: 1 },
    expiresAt: "2027-01-01",
    context: "x".repeat(5000),
  };
  for (const [member, value] of Object.entries(rows)) {
    assertEquals(await resultOf({ ok: true, [member]: value }), {
      decision: "authFailure",
      reason: "backend-answer",
      detail: member,
    });
  }
});

Deno.test("newHTTPAuthProvider() takes an answer that is not UTF-8 for a failure: no two names become one", async () => {
  const latin1 = (text: string) =>
    Uint8Array.from(text, (c) => c.charCodeAt(0));
  const utf8 = (text: string) => new TextEncoder().encode(text);
  const yes = '{"ok":true,"user":"j\u00f6rg"}';
  const no = '{"ok":false,"text":"gesch\u00e4ftlich"}';
  const broken = {
    decision: "authFailure",
    reason: "backend-answer",
    detail: "not JSON",
  };
  const rows = [
    [latin1(yes), 200, broken],
    [latin1(no), 200, broken],
    [utf8(yes), 200, { decision: "authOk", user: "j\u00f6rg" }],
    // RFC 8259 section 8.1 lets a reader pass over a byte order mark.
    [utf8(`\ufeff${yes}`), 200, { decision: "authOk", user: "j\u00f6rg" }],
    // Where the status says it all, nobody looks at the body.
    [latin1("<p>Zugriff verweigert f\u00fcr alle"), 403, {
      decision: "authInvalid",
    }],
  ] as const;
  for (const [octets, status, expected] of rows) {
    // Of a known length and piece by piece: two ways to read it.
    for (const length of [{ "content-length": `${octets.length}` }, {}]) {
      const provider = newHTTPAuthProvider("https://intranet.example/", {
        fetch: () =>
          Promise.resolve(new Response(octets, { status, headers: length })),
      });
      assertEquals<unknown>(await provider(newRequest()), expected);
    }
  }
});

Deno.test("newHTTPAuthProvider() takes a yes to nobody for a failure: a token came without a name, and the answer has none", async () => {
  const nameless = { username: "", mechanism: "OAUTHBEARER" };
  assertEquals(await resultOf({ ok: true }, {}, nameless), {
    decision: "authFailure",
    reason: "backend-answer",
    detail: "user",
  });
  assertEquals(await resultOf({ ok: true, user: "ann" }, {}, nameless), {
    decision: "authOk",
    user: "ann",
  });
});

Deno.test("newHTTPAuthProvider() takes max-age for the end of a yes", async () => {
  const rows = [
    ["max-age=60", undefined, NOW + 60_000],
    ["private, max-age=60, must-revalidate", undefined, NOW + 60_000],
    ["no-store,Max-Age=0", undefined, NOW],
    ['max-age="60"', undefined, NOW + 60_000],
    [`max-age=${"9".repeat(400)}`, undefined, NOW + 2 ** 31 * 1000],
    ["max-age=60", NOW + 1000, NOW + 1000],
    ["max-age=60", NOW + 90_000, NOW + 60_000],
    ["no-store", NOW + 1000, NOW + 1000],
    ["no-store, no-cache", undefined, undefined],
    ["s-maxage=60, stale-max-age=7, max-age=x, max-age", undefined, undefined],
  ] as const;
  for (const [control, given, expected] of rows) {
    const body = given === undefined ? {} : { expiresAt: given };
    const result = await resultOf({ ok: true, ...body }, {
      "cache-control": control,
    });
    const end = expected === undefined ? {} : { expiresAt: expected };
    assertEquals(result, { decision: "authOk", ...end }, control);
  }
});

Deno.test("newHTTPAuthProvider() reads the text of a no, and keeps the no without it", async () => {
  const text = "Account closed, call 555";
  assertEquals(await resultOf({ ok: false, text, user: 1 }), {
    decision: "authInvalid",
    text,
  });
  for (const text of [null, 1, "", "a\r\nb", "ü", "x".repeat(201)]) {
    assertEquals(await resultOf({ ok: false, text }), {
      decision: "authInvalid",
      detail: "text",
    });
  }
});

Deno.test("newHTTPAuthProvider() reads why a token is refused, and keeps the no without it", async () => {
  const configuration = "https://sso.example/.well-known/openid-configuration";
  const wanted = { status: "insufficient_scope", scope: "mail" };
  const rows = [
    [{ ...wanted, error: "x" }, wanted],
    [{ ...wanted, "openid-configuration": configuration }, {
      ...wanted,
      openidConfiguration: configuration,
    }],
  ] as const;
  for (const [tokenError, read] of rows) {
    assertEquals<unknown>(
      await resultOf({ ok: false, text: "No", tokenError }),
      { decision: "authInvalid", text: "No", tokenError: read },
    );
  }
  assertEquals(await resultOf({ ok: false, tokenError: {}, text: "ü" }), {
    decision: "authInvalid",
    detail: "text, tokenError",
  });
  assertEquals(await resultOf({ ok: true, tokenError: wanted }), {
    decision: "authOk",
  });
});
