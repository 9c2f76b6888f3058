import type { SmtpEvent } from "../../smtp/events.ts";
import { entryOf, jsonLine, textLine } from "../../command/log.ts";
import { assertEquals } from "../support/assert.ts";

const AT = new Date(2026, 10, 23, 18, 5, 9);

const AUTH = {
  kind: "auth",
  via: "smtp",
  outcome: "ok",
  code: 235,
  reason: "ok",
  mechanism: "PLAIN",
  username: "ann",
  remoteIp: "192.0.2.7",
  tls: true,
  milliseconds: 12,
} as const satisfies SmtpEvent;

const MESSAGE = {
  kind: "message",
  code: 250,
  text: "Queued",
  username: "ann",
  sender: "ann@example.com",
  recipients: 1,
  refusedRecipients: 0,
  octets: 222,
  remoteIp: "192.0.2.7",
  tls: true,
} as const satisfies SmtpEvent;

const REFUSED = {
  kind: "refused",
  verb: "MAIL",
  code: 530,
  reason: "auth-required",
  count: 1,
  remoteIp: "192.0.2.7",
  tls: false,
} as const satisfies SmtpEvent;

const { code: _code, text: _text, ...LOST } = MESSAGE;

Deno.test("textLine() is one short line per event", () => {
  for (
    const [event, expected] of [
      [AUTH, "info  auth ok ann from 192.0.2.7, PLAIN, TLS, 12 ms"],
      [
        {
          ...AUTH,
          outcome: "invalid",
          reason: "wrong-credentials",
          tls: false,
        },
        "warn  auth invalid ann (wrong-credentials) from 192.0.2.7, PLAIN, plain text, 12 ms",
      ],
      [
        { ...AUTH, outcome: "failure", reason: "backend-timeout" },
        "error auth failure ann (backend-timeout) from 192.0.2.7, PLAIN, TLS, 12 ms",
      ],
      [
        { ...AUTH, outcome: "failure", reason: "client-gone" },
        "info  auth failure ann (client-gone) from 192.0.2.7, PLAIN, TLS, 12 ms",
      ],
      [
        { ...AUTH, outcome: "failure", reason: "throttled-user" },
        "warn  auth failure ann (throttled-user) from 192.0.2.7, PLAIN, TLS, 12 ms",
      ],
      [
        {
          ...AUTH,
          outcome: "failure",
          reason: "provider-error",
          detail: "Error: no\nluck",
        },
        'error auth failure ann (provider-error: "Error: no\\nluck") from 192.0.2.7, PLAIN, TLS, 12 ms',
      ],
      [
        { ...AUTH, reason: "cached" },
        "info  auth ok ann (cached) from 192.0.2.7, PLAIN, TLS, 12 ms",
      ],
      [
        {
          ...AUTH,
          reason: "cached-through-outage",
          detail: "backend-status 502",
        },
        "error auth ok ann (cached-through-outage: backend-status 502) from 192.0.2.7, PLAIN, TLS, 12 ms",
      ],
      [
        MESSAGE,
        "info  mail from <ann@example.com> to 1 recipient, 222 bytes, login ann: 250 Queued",
      ],
      [
        { ...LOST, recipients: 2 },
        "warn  mail from <ann@example.com> to 2 recipients, 222 bytes, login ann: lost with its connection",
      ],
      [
        { ...LOST, fault: "bare-line-end" },
        "warn  mail from <ann@example.com> to 1 recipient, 222 bytes, login ann: lost with its connection (bare-line-end)",
      ],
      [
        { ...MESSAGE, recipients: 100, refusedRecipients: 7 },
        "warn  mail from <ann@example.com> to 100 recipients (7 refused), 222 bytes, login ann: 250 Queued",
      ],
      [
        { ...REFUSED, count: 3 },
        "info  refused MAIL from 192.0.2.7: 530 auth-required, 3 times",
      ],
      [
        { ...REFUSED, verb: "", code: 500, reason: "unknown-command" },
        "info  refused a line from 192.0.2.7: 500 unknown-command, once",
      ],
      [
        { ...REFUSED, username: "ann", reason: "bad-sender", code: 501 },
        "warn  refused MAIL from 192.0.2.7, login ann: 501 bad-sender, once",
      ],
      [
        { ...MESSAGE, code: 451, text: "Later", error: "Error: no\nluck" },
        'error mail from <ann@example.com> to 1 recipient, 222 bytes, login ann: 451 Later: "Error: no\\nluck"',
      ],
      [
        { kind: "closed", reason: "idle", remoteIp: "192.0.2.7", tls: false },
        "info  closed 192.0.2.7: idle",
      ],
      [
        {
          kind: "acceptFailed",
          via: "smtp",
          error: "Error: too many open files",
        },
        "error cannot accept connections: Error: too many open files",
      ],
    ] as const
  ) {
    assertEquals(textLine(entryOf(event), AT, false), `18:05:09 ${expected}`);
  }
});

Deno.test("textLine() colours the level, and only when asked to", () => {
  assertEquals(
    textLine({ level: "warn", message: "hm", fields: {} }, AT, true),
    "\x1b[2m18:05:09\x1b[0m \x1b[33mwarn \x1b[0m hm",
  );
});

Deno.test("textLine() quotes what could pass for something else", () => {
  for (
    const [username, shown] of [
      ['quo"te', '"quo\\"te"'],
      ["li\u2028ne", '"li\\u{2028}ne"'],
      ["bi\u202edi", '"bi\\u{202e}di"'],
      ["jörg", "jörg"],
    ] as const
  ) {
    assertEquals(
      textLine(entryOf({ ...AUTH, username }), AT, false),
      `18:05:09 info  auth ok ${shown} from 192.0.2.7, PLAIN, TLS, 12 ms`,
    );
  }
});

Deno.test("jsonLine() has named fields", () => {
  assertEquals(JSON.parse(jsonLine(entryOf(AUTH), AT)), {
    time: AT.toISOString(),
    level: "info",
    message: "auth ok ann from 192.0.2.7, PLAIN, TLS, 12 ms",
    event: "auth",
    via: "smtp",
    outcome: "ok",
    code: 235,
    reason: "ok",
    mechanism: "PLAIN",
    username: "ann",
    remoteIp: "192.0.2.7",
    tls: true,
    milliseconds: 12,
  });
});
