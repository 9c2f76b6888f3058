import { assert, assertEquals } from "../support/assert.ts";
import { type SeenRequest, serveHttp } from "../support/http_end.ts";
import { startListener } from "../support/listener.ts";
import { base64 } from "../support/octets.ts";
import { holdRefusedPort } from "../support/raw_end.ts";
import { SmtpClient } from "../../testing/client.ts";
import { newTestEndpoint } from "../../testing/endpoint.ts";
import { events, FOREVER } from "../support/listener_session.ts";

/** User name, what the endpoint answers, reply, reason in the log. */
const ANSWERS: readonly (readonly [
  string,
  () => Response,
  string,
  string,
])[] = [
  ["ok", () => Response.json({ ok: true, quota: 7 }), "235 2.7.0", "ok"],
  [
    "no",
    () => Response.json({ ok: false }),
    "535 5.7.8",
    "wrong-credentials",
  ],
  ["401", () => new Response("", { status: 401 }), "535 5.7.8", "wrong-"],
  ["403", () => new Response("", { status: 403 }), "535 5.7.8", "wrong-"],
  ["500", () => new Response("", { status: 500 }), "454 4.7.0", "backend-st"],
  ["404", () => new Response("", { status: 404 }), "454 4.7.0", "backend-st"],
  [
    "moved",
    () => Response.redirect("http://127.0.0.1:9/", 307),
    "454 4.7.0",
    "backend-redirect",
  ],
  ["garbage", () => new Response("<html>"), "454 4.7.0", "backend-answer"],
  ["no ok", () => Response.json({}), "454 4.7.0", "backend-answer"],
  ["text", () => Response.json({ ok: "true" }), "454 4.7.0", "backend-answer"],
];

function userOf(request: SeenRequest): string {
  const body: unknown = JSON.parse(request.body);
  return typeof body === "object" && body !== null && "username" in body
    ? String(body.username)
    : "";
}

Deno.test("main.ts turns what the endpoint answers into 235, 535 and 454, and logs why", async () => {
  const answers = new Map(ANSWERS.map(([user, answer]) => [user, answer]));
  await using end = serveHttp((request) =>
    answers.get(userOf(request))?.() ?? new Response("", { status: 400 })
  );
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", FOREVER],
  });
  for (const [user, , status] of ANSWERS) {
    using client = await SmtpClient.greeted(listener.port);
    await client.login(user, "secret", status);
    await client.command("QUIT", "221");
  }
  const log = await events(listener, "auth", ANSWERS.length);
  for (const [i, [user, , status, reason]] of ANSWERS.entries()) {
    assertEquals(log[i]?.username, user);
    assertEquals(String(log[i]?.code), status.slice(0, 3));
    assert(String(log[i]?.reason).startsWith(reason), user);
  }
});

Deno.test("main.ts tells the endpoint exactly five things", async () => {
  await using end = serveHttp(() => Response.json({ ok: true }));
  await using listener = await startListener({ authUrl: end.url });
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  await client.command("EHLO [192.0.2.9]", "250");
  await client.send("auth login", base64("änn"), base64("päß word"));
  await client.expect("334", "334", "235");
  const [request] = end.requests;
  assertEquals(request?.method, "POST");
  assertEquals(request?.headers.get("content-type"), "application/json");
  assertEquals<unknown>(JSON.parse(request?.body ?? ""), {
    username: "änn",
    password: "päß word",
    mechanism: "LOGIN",
    remoteIp: "127.0.0.1",
    heloName: "[192.0.2.9]",
  });
});

Deno.test("main.ts answers 454 when the endpoint hangs, and the client may go on", async () => {
  await using end = await newTestEndpoint();
  await end.break("hang");
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", "50"],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login("ann", "secret", "454 4.7.0");
  await client.command("NOOP", "250");
  const [line] = await events(listener, "auth");
  assertEquals(line?.reason, "backend-timeout");
  assert(Number(line?.milliseconds) >= 49);
});

Deno.test("main.ts answers 454 when nobody listens at the endpoint", async () => {
  using nobody = await holdRefusedPort();
  await using listener = await startListener({
    authUrl: `http://${nobody.host}/`,
    args: ["--auth-timeout", FOREVER],
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login("ann", "secret", "454 4.7.0");
  const [line] = await events(listener, "auth");
  assertEquals(line?.reason, "backend-unreachable");
});
