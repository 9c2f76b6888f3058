import { assert, assertEquals } from "../support/assert.ts";
import { eventually } from "../support/eventually.ts";
import { serveHttp } from "../support/http_end.ts";
import { PASSWORD, startListener, USER } from "../support/listener.ts";
import { serveOtlp } from "../support/otlp_end.ts";
import { SmtpClient } from "../../testing/client.ts";

Deno.test("with OTEL_DENO=true each AUTH and each message is a span, the endpoint's call is part of it, and the figures go out", async () => {
  await using otlp = serveOtlp();
  const passwords = new Set([PASSWORD]);
  await using endpoint = serveHttp(({ body }) =>
    Response.json({ ok: passwords.has(JSON.parse(body).password) })
  );
  await using listener = await startListener({
    authUrl: `${endpoint.url}?tenant=7`,
    env: otlp.env,
  });
  const warnings = listener.log().filter(({ level }) => level === "warn");
  assertEquals(warnings.map(({ message }) => message), [
    "OpenTelemetry exports the query of --auth-url with each request: a secret belongs in MEOWMAIL_SMTP_AUTH_TOKEN",
  ]);
  const client = await SmtpClient.greeted(listener.port);
  await client.command("AUTH PLAIN @@@", "501");
  await client.login(USER, "wrong", "535");
  await client.login(USER, PASSWORD);
  await client.envelope();
  await client.send("Hello", ".");
  await client.expect("250");
  await client.command("QUIT", "221");
  await client.expectEnd();
  client.close();
  const value = (name: string, outcome?: string) =>
    otlp.points().findLast((point) =>
      point.name === name &&
      (outcome === undefined || point.attributes.outcome === outcome)
    )?.value;
  await eventually("the figures", () => value("smtpauth_closed_total") === 1);
  await eventually(
    "the spans",
    () =>
      ["AUTH", "POST", "message"].every((name) =>
        otlp.spans().some((span) => span.name === name)
      ) && otlp.spans().length >= 6,
  );

  const spans = otlp.spans();
  const auths = spans.filter(({ name }) => name === "AUTH");
  assertEquals(
    auths.map(({ attributes: { mechanism, outcome, reason } }) => [
      mechanism,
      outcome,
      reason,
    ]),
    [
      ["PLAIN", "error", "bad-base64"],
      ["PLAIN", "invalid", "wrong-credentials"],
      ["PLAIN", "ok", "ok"],
    ],
  );
  const calls = auths.slice(1).map(({ spanId }) =>
    spans.filter(({ parentSpanId }) => parentSpanId === spanId)
      .map(({ name }) => name)
  );
  assertEquals(calls, [["POST"], ["POST"]]);
  // Were that to end, the warning could go.
  const [call] = spans.filter(({ name }) => name === "POST");
  assertEquals(call?.attributes["url.full"], `${endpoint.url}?tenant=7`);
  // The endpoint can join in.
  const traces = endpoint.requests.map(({ headers }) =>
    headers.get("traceparent")?.split("-")[1]
  );
  assertEquals(traces, auths.slice(1).map(({ traceId }) => traceId));
  const [message, ...more] = spans.filter(({ name }) => name === "message");
  assertEquals([Number(message?.attributes.code), more], [250, []]);

  assertEquals(value("smtpauth_auth_total", "ok"), 1);
  assertEquals(value("smtpauth_auth_total", "invalid"), 1);
  assertEquals(value("smtpauth_backend_duration_seconds"), 1);
  assertEquals(value("smtpauth_build_info"), 1);
  assert(!JSON.stringify([spans, otlp.points()]).includes(USER));
  assert(!JSON.stringify([spans, otlp.points()]).includes(PASSWORD));
});

Deno.test("with OTEL_DENO=true the command ends though figures go out while the last spans do", async () => {
  // Its figures are due again and again meanwhile: whoever ends there by
  // Deno.exit() has Deno wait for itself, for ever.
  await using otlp = serveOtlp(() => delay(500));
  await using listener = await startListener({
    env: { ...otlp.env, OTEL_BSP_SCHEDULE_DELAY: "60000" },
  });
  const client = await SmtpClient.greeted(listener.port);
  await client.login(USER, PASSWORD);
  client.close();
  assertEquals((await listener.stop()).code, 0);
  assertEquals(otlp.spans().map(({ name }) => name), ["AUTH"]);
});

/** Resolves after so many milliseconds: an end that is slow. */
function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
