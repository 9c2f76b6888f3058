import type { AuthEvent } from "../../auth/events.ts";
import type { AuthResult } from "../../auth/types.ts";
import type { FigureSink, GaugeName } from "../../metrics/figures.ts";
import { type CountedEvent, Observer } from "../../metrics/observer.ts";
import { newSlowProvider } from "../support/asked_provider.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { newRequest } from "../support/auth_request.ts";

const AUTH: AuthEvent = {
  kind: "auth",
  via: "smtp",
  id: "c1",
  remoteIp: "192.0.2.7",
  outcome: "ok",
  reason: "ok",
  mechanism: "PLAIN",
  username: "ann",
  milliseconds: 20,
};

const CLIENT = {
  via: "smtp",
  id: "c1",
  remoteIp: "192.0.2.7",
  tls: false,
} as const;

/** An observer, and all that it counts, a line each. */
function newCounted(onAnswer?: (result: AuthResult) => void) {
  const lines: string[] = [];
  const sink: FigureSink = {
    add: (name, labels, by = 1) =>
      by > 0 && lines.push(`${name} ${Object.values(labels).join()} +${by}`),
    observe: (name, labels, seconds) =>
      lines.push(`${name} ${Object.values(labels).join()} ${seconds}`),
  };
  const observer = new Observer([sink], "1.2.3", onAnswer);
  const value = (name: GaugeName) =>
    observer.read(name).map(({ labels, value }) => [labels, value]);
  return { lines, observer, value };
}

/** What is counted of events. */
function linesOf(...events: readonly CountedEvent[]): string[] {
  const { lines, observer } = newCounted();
  events.forEach(observer.onEvent);
  return lines.map((line) => line.replace("smtpauth_", ""));
}

Deno.test("Observer counts each event by its figures", () => {
  const rows: readonly (readonly [CountedEvent, readonly string[]])[] = [
    [AUTH, ["auth_total smtp,PLAIN,ok,ok +1", "auth_duration_seconds  0.02"]],
    [
      { ...AUTH, outcome: "failure", reason: "throttled-pair" },
      [
        "auth_total smtp,PLAIN,failure,throttled-pair +1",
        "throttled_total pair +1",
        "auth_duration_seconds  0.02",
      ],
    ],
    [
      { ...AUTH, via: "nginx", outcome: "error", reason: "bad-token" },
      ["auth_total nginx,PLAIN,error,bad-token +1"],
    ],
    [{ kind: "opened", ...CLIENT }, ["connections_total false +1"]],
    [{ kind: "secured", ...CLIENT, tls: true }, ["connections_total true +1"]],
    [
      { kind: "opened", via: "dovecot", id: "c2", remoteIp: "" },
      [],
    ],
    [{ kind: "closed", ...CLIENT, reason: "idle" }, ["closed_total idle +1"]],
    [
      {
        kind: "message",
        ...CLIENT,
        code: 250,
        sender: "ann@x.test",
        recipients: 1,
        refusedRecipients: 0,
        octets: 17,
      },
      ["messages_total 250 +1", "message_octets_total  +17"],
    ],
    [
      {
        kind: "message",
        ...CLIENT,
        sender: "ann@x.test",
        recipients: 1,
        refusedRecipients: 0,
        octets: 0,
      },
      ["messages_total lost +1"],
    ],
    [
      {
        kind: "refused",
        ...CLIENT,
        verb: "MAIL",
        code: 530,
        reason: "auth-required",
        count: 13,
      },
      ["refused_total auth-required +13"],
    ],
    [
      {
        kind: "relay",
        reason: "relay-credentials",
        detail: "535",
        hop: "mx:25",
        id: "c1",
      },
      ["relay_failures_total relay-credentials +1"],
    ],
    [
      {
        kind: "limitReached",
        username: "ann",
        remoteIp: "192.0.2.7",
        limit: "recipientsPerDay",
        most: 100,
      },
      ["limit_reached_total recipientsPerDay +1"],
    ],
    [
      { kind: "acceptFailed", via: "smtp", error: "EMFILE" },
      ["accept_failures_total smtp +1"],
    ],
    [{ kind: "stepFailed", ...CLIENT, step: "sender", error: "oops" }, []],
  ];
  for (const [event, expected] of rows) {
    assertEquals(linesOf(event), expected, event.kind);
  }
});

Deno.test("Observer takes no mechanism from whoever asks over HTTP", () => {
  for (
    const [via, mechanism, expected] of [
      ["http", "X-1", "other"],
      ["http", "XOAUTH2", "XOAUTH2"],
      ["http", "", "none"],
      ["smtp", "X-TOKEN", "X-TOKEN"],
    ] as const
  ) {
    const [line] = linesOf({ ...AUTH, via, mechanism });
    assertEquals(line, `auth_total ${via},${expected},ok,ok +1`);
  }
});

Deno.test("Observer knows the connections that are open, also when they turn to TLS", () => {
  const { observer, value } = newCounted();
  const open = () => value("smtpauth_connections").map(([, count]) => count);
  assertEquals(open(), [0, 0]);
  observer.onEvent({ kind: "opened", ...CLIENT });
  observer.onEvent({ kind: "opened", ...CLIENT, id: "c2", tls: true });
  assertEquals(open(), [1, 1]);
  observer.onEvent({ kind: "secured", ...CLIENT, tls: true });
  assertEquals(open(), [0, 2]);
  observer.onEvent({ kind: "closed", ...CLIENT, tls: true, reason: "quit" });
  observer.onEvent({ kind: "closed", ...CLIENT, id: "c9", reason: "http" });
  assertEquals(open(), [0, 1]);
});

Deno.test("Observer measures calls, and who waits for one", async () => {
  const answers: AuthResult[] = [];
  const { lines, observer, value } = newCounted((result) =>
    answers.push(result)
  );
  const back = newSlowProvider();
  const gate = Promise.withResolvers<void>();
  const measured = observer.measured(back.provider);
  const asked = observer.queued(async (request, signal) => {
    await gate.promise;
    return await measured(request, signal);
  });
  const asking = asked(newRequest({}));
  const now = () => [
    value("smtpauth_backend_in_flight")[0]?.[1],
    value("smtpauth_backend_waiting")[0]?.[1],
  ];
  assertEquals(now(), [0, 1]);
  gate.resolve();
  const call = await back.call(0);
  assertEquals(now(), [1, 0]);
  call.fail(new Error("down"));
  const result = await asking;
  assertEquals(now(), [0, 0]);
  assertEquals(result.decision, "authFailure");
  assertEquals(answers.map(({ reason }) => reason), ["provider-error"]);
  const [line = "", ...others] = lines;
  assert(
    line.startsWith("smtpauth_backend_duration_seconds provider-error 0."),
  );
  assertEquals(others, []);
});

Deno.test("Observer tells a gauge at once to whoever wants that", () => {
  const lines: string[] = [];
  const sink: FigureSink = {
    add: () => {},
    observe: () => {},
    set: (name, labels, value) =>
      lines.push(`${name} ${Object.values(labels).join()} ${value}`),
  };
  const observer = new Observer([sink], "1.2.3");
  assertEquals(lines.splice(0), [
    "smtpauth_build_info 1.2.3 1",
    "smtpauth_connections false 0",
    "smtpauth_connections true 0",
    "smtpauth_backend_in_flight  0",
    "smtpauth_backend_waiting  0",
  ]);
  observer.onEvent({ kind: "opened", ...CLIENT });
  observer.onEvent({ kind: "closed", ...CLIENT, reason: "quit" });
  observer.certificateUntil(1_800_000_000_000);
  assertEquals(lines, [
    "smtpauth_connections false 1",
    "smtpauth_connections true 0",
    "smtpauth_connections false 0",
    "smtpauth_connections true 0",
    "smtpauth_certificate_expiry_seconds  1800000000",
  ]);
});

Deno.test("Observer says nothing of a certificate that there is not", () => {
  const { observer, value } = newCounted();
  assertEquals(value("smtpauth_certificate_expiry_seconds"), []);
  observer.certificateUntil(1_800_000_000_000);
  assertEquals(value("smtpauth_certificate_expiry_seconds"), [[
    {},
    1_800_000_000,
  ]]);
  assertEquals(value("smtpauth_build_info"), [[{ version: "1.2.3" }, 1]]);
});
