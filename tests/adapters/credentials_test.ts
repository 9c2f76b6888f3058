// One rule for user names and passwords, whichever way they come in.

import { authHandler } from "../../adapters/http/handler.ts";
import { nginxAuthHandler } from "../../adapters/nginx/handler.ts";
import { readSaslauthdRequest } from "../../adapters/saslauthd/protocol.ts";
import { smtpServerAuth } from "../../adapters/smtp_server/on_auth.ts";
import { continueSasl, startSasl } from "../../auth/sasl/sasl.ts";
import type { SaslStep } from "../../auth/sasl/steps.ts";
import type { AuthProvider } from "../../auth/types.ts";
import { assertEquals } from "../support/assert.ts";
import { base64, octetsOf } from "../support/octets.ts";

/** What came of it: whom a provider was asked about, or why it was not. */
type Outcome = readonly [username: string, password: string] | string;

/** A user name or password: a text, or octets that are no UTF-8. */
type Part = string | readonly number[];

function outcomeOf(step: SaslStep): Outcome {
  if (step.kind === "credentials") return [step.username, step.password];
  return step.kind === "error" ? step.reason : step.kind;
}

function byPlain(user: Part, password: Part): Outcome {
  const parts = [[0], octetsOf(user), [0], octetsOf(password)];
  const message = parts.flatMap((part) => [...part]);
  return outcomeOf(startSasl("PLAIN", base64(message)));
}

function byLogin(user: Part, password: Part): Outcome {
  const step = startSasl("LOGIN", user.length === 0 ? "=" : base64(user));
  return outcomeOf(
    step.kind === "challenge" ? continueSasl(step, base64(password)) : step,
  );
}

function bySaslauthd(user: Part, password: Part): Outcome {
  const fields = [user, password, "smtp", ""].map(octetsOf);
  const octets = fields.flatMap((field) => [0, field.length, ...field]);
  const read = readSaslauthdRequest(Uint8Array.from(octets));
  if (read.kind === "impossible") return read.error.reason;
  return read.kind === "request"
    ? [read.request.username, read.request.password]
    : read.kind;
}

/** Asks by an adapter that takes a provider; why not, its event says. */
async function byAdapter(
  ask: (
    provider: AuthProvider,
    onEvent: (event: { readonly kind: string; reason?: string }) => void,
  ) => Promise<unknown>,
): Promise<Outcome> {
  const outcomes: Outcome[] = [];
  await ask(
    ({ username, password }) => {
      outcomes.push([username, password]);
      return "authOk";
    },
    ({ reason = "" }) => void (reason === "ok" || outcomes.push(reason)),
  );
  return outcomes[0] ?? "nothing";
}

function byNginx(user: Part, password: Part): Promise<Outcome> {
  const escaped = (part: Part) =>
    Array.from(octetsOf(part), (o) => "%" + o.toString(16).padStart(2, "0"))
      .join("");
  const headers = {
    "auth-method": "plain",
    "auth-user": escaped(user),
    "auth-pass": escaped(password),
  };
  const upstream = { hostname: "127.0.0.1", port: 25 };
  return byAdapter((provider, onEvent) =>
    nginxAuthHandler(provider, { upstream, onEvent })(
      new Request("http://127.0.0.1/", { headers }),
    )
  );
}

function bySmtpServer(username: string, password: string): Promise<Outcome> {
  return byAdapter((provider, onEvent) =>
    new Promise<void>((resolve) =>
      smtpServerAuth(provider, { onEvent })(
        { method: "PLAIN", username, password },
        { remoteAddress: "192.0.2.7" },
        () => resolve(),
      )
    )
  );
}

function byHttp(username: string, password: string): Promise<Outcome> {
  const question = {
    username,
    password,
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "",
  };
  return byAdapter(async (provider, onEvent) => {
    const response = await authHandler(provider, { onEvent })(
      new Request("http://127.0.0.1/", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(question),
      }),
    );
    await response.body?.cancel();
  });
}

const ASKED = "asked";
const ROWS = [
  ["ann", "secret", ASKED],
  [" ", " ", ASKED],
  ["\u00fc\u732b\u{1f431}", "\ufeff\u00e4\t\r\n\x7f\x85", ASKED],
  ["", "secret", "bad-message"],
  ["ann", "", "bad-message"],
  ["", "", "bad-message"],
  ["ann", "a\0b", "bad-message"],
  ["a\tnn", "secret", "bad-message"],
  ["ann\x7f", "secret", "bad-message"],
  ["\x85ann", "secret", "bad-message"],
] as const;

Deno.test("every way in has the same rule for user names and passwords", async () => {
  for (const [user, password, verdict] of ROWS) {
    const expected = verdict === ASKED ? [user, password] : verdict;
    const found = {
      PLAIN: byPlain(user, password),
      LOGIN: byLogin(user, password),
      saslauthd: bySaslauthd(user, password),
      nginx: await byNginx(user, password),
      "smtp-server": await bySmtpServer(user, password),
      http: await byHttp(user, password),
    };
    // A request to the endpoint that is none is the caller's mistake.
    const http = verdict === ASKED ? expected : "bad-syntax";
    assertEquals<unknown>(found, {
      PLAIN: expected,
      LOGIN: expected,
      saslauthd: expected,
      nginx: expected,
      "smtp-server": expected,
      http,
    }, JSON.stringify([user, password]));
  }
});

Deno.test("no way in asks about what is no text", async () => {
  for (
    const [user, password] of [["ann", [0xff]], [[0xe4], "secret"]] as const
  ) {
    assertEquals(byPlain(user, password), "bad-utf8");
    assertEquals(byLogin(user, password), "bad-utf8");
    assertEquals(bySaslauthd(user, password), "bad-utf8");
    assertEquals(await byNginx(user, password), "bad-utf8");
  }
  for (
    const [user, password] of [["ann", "\ud800"], ["\udc00", "p"]] as const
  ) {
    assertEquals(await bySmtpServer(user, password), "bad-utf8");
    assertEquals(await byHttp(user, password), "bad-syntax");
  }
});
