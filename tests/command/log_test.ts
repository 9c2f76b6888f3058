import type { SmtpEvent } from "../../smtp/events.ts";
import { entryOf } from "../../command/log.ts";
import { jsonLine, textLine } from "../../command/log_line.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
} from "../support/assert.ts";
import { entryFor } from "../support/events.ts";
import { newRandom } from "../support/random.ts";

const AT = new Date(2026, 10, 23, 18, 5, 9);

const ON_TERMINAL = { colored: false, dated: false };

const FROM = { via: "smtp", id: "client1" } as const;

const AUTH = {
  kind: "auth",
  ...FROM,
  outcome: "ok",
  code: 235,
  reason: "ok",
  mechanism: "PLAIN",
  username: "ann",
  remoteIp: "192.0.2.7",
  tls: true,
  milliseconds: 12,
} as const satisfies SmtpEvent;

const UNSIGNED = {
  kind: "message",
  ...FROM,
  code: 250,
  text: "Queued",
  sender: "ann@example.com",
  recipients: 1,
  refusedRecipients: 0,
  octets: 222,
  remoteIp: "192.0.2.7",
  tls: true,
} as const satisfies SmtpEvent;

const MESSAGE = {
  ...UNSIGNED,
  username: "ann",
} as const satisfies SmtpEvent;

const REFUSED = {
  kind: "refused",
  ...FROM,
  verb: "MAIL",
  code: 530,
  reason: "auth-required",
  count: 1,
  remoteIp: "192.0.2.7",
  tls: false,
} as const satisfies SmtpEvent;

const { code: _code, text: _text, ...LOST } = MESSAGE;

const CLOSED = {
  kind: "closed",
  ...FROM,
  remoteIp: "192.0.2.7",
  tls: false,
} as const;

const THROUGH = { via: "dovecot", id: "client2", remoteIp: "" } as const;

const ASKED = {
  kind: "auth",
  ...THROUGH,
  outcome: "ok",
  reason: "ok",
  mechanism: "",
  username: "ann",
  milliseconds: 12,
} as const satisfies SmtpEvent;

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
        { ...AUTH, outcome: "failure", reason: "interrupted" },
        "info  auth failure ann (interrupted) from 192.0.2.7, PLAIN, TLS, 12 ms",
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
        { ...MESSAGE, sender: "" },
        "info  mail from <> to 1 recipient, 222 bytes, login ann: 250 Queued",
      ],
      [
        { ...UNSIGNED, trusted: true },
        "info  mail from <ann@example.com> to 1 recipient, 222 bytes, no login (trusted network): 250 Queued",
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
        { ...CLOSED, reason: "idle" },
        "info  closed 192.0.2.7: idle",
      ],
      [
        { ...CLOSED, reason: "too-many-connections" },
        "warn  closed 192.0.2.7: too-many-connections",
      ],
      [
        { ...CLOSED, reason: "error", error: "Error: oops" },
        "error closed 192.0.2.7: error: Error: oops",
      ],
      [
        { ...ASKED, remoteIp: "192.0.2.7", mechanism: "PLAIN" },
        "info  auth ok ann from 192.0.2.7 through dovecot, PLAIN, 12 ms",
      ],
      [ASKED, "info  auth ok ann through dovecot, 12 ms"],
      [
        {
          kind: "closed",
          ...THROUGH,
          reason: "bad-protocol",
          error: "no VERSION",
        },
        "warn  closed a connection of dovecot: bad-protocol: no VERSION",
      ],
      [
        { kind: "acceptFailed", via: "nginx", error: "Error: no" },
        "error cannot accept connections for nginx: Error: no",
      ],
      [
        {
          kind: "acceptFailed",
          via: "smtp",
          error: "Error: too many open files",
        },
        "error cannot accept connections: Error: too many open files",
      ],
      [
        {
          kind: "limitReached",
          username: "ann",
          remoteIp: "192.0.2.7",
          limit: "recipientsPerDay",
          most: 500,
        },
        "warn  limit reached by ann from 192.0.2.7: 500 recipients a day",
      ],
      [
        {
          kind: "limitReached",
          remoteIp: "",
          limit: "messagesPerMinute",
          most: 1,
        },
        "warn  limit reached by a client: 1 message a minute",
      ],
    ] as const
  ) {
    assertEquals(
      textLine(entryFor(event), AT, ON_TERMINAL),
      `18:05:09 ${expected}`,
    );
  }
});

Deno.test("textLine() colours the level, and only when asked to", () => {
  assertEquals(
    textLine({ level: "warn", message: "hm", fields: {} }, AT, {
      colored: true,
      dated: false,
    }),
    "\x1b[2m18:05:09\x1b[0m \x1b[33mwarn \x1b[0m hm",
  );
});

Deno.test("textLine() has the date and the time zone where the line is read later", () => {
  const entry = { level: "info", message: "hm", fields: {} } as const;
  const line = textLine(entry, AT, { colored: false, dated: true });
  const [stamp = "", rest] = line.split(/ (.*)/);
  assertEquals(rest, "info  hm");
  assertMatch(stamp, /^2026-11-23T18:05:09[+-][0-9]{2}:[0-9]{2}$/);
  assertEquals(Date.parse(stamp), AT.getTime());
});

Deno.test("textLine() quotes what could pass for something else", () => {
  for (
    const [username, shown] of [
      ["ann@example.org", "ann@example.org"],
      ["a.b+c=d_e-f", "a.b+c=d_e-f"],
      ["jörg", '"jörg"'],
      ["a b", '"a b"'],
      ["a,b", '"a,b"'],
      ["(a)", '"(a)"'],
      ["", '""'],
      ['quo"te', '"quo\\"te"'],
      ["back\\slash", '"back\\\\slash"'],
      ["ta\tb", '"ta\\tb"'],
      ["n\u00a0b", '"n\\u00a0b"'],
      ["li\u2028ne", '"li\\u2028ne"'],
      ["bi\u202edi", '"bi\\u202edi"'],
      ["c1\x85", '"c1\\u0085"'],
      ["hangul\u3164", '"hangul\\u3164"'],
      ["tag\u{e0041}", '"tag\\udb40\\udc41"'],
      ["half\ud800", '"half\\ud800"'],
    ] as const
  ) {
    assertEquals(
      textLine(entryFor({ ...AUTH, username }), AT, ON_TERMINAL),
      `18:05:09 info  auth ok ${shown} from 192.0.2.7, PLAIN, TLS, 12 ms`,
    );
  }
});

/** What a filter of fail2ban looks for: everything in front is accounted for. */
const FILTER =
  /^[0-9:]{8} warn {2}auth invalid (?:[A-Za-z0-9._@+=-]+|"(?:[^"\\]|\\.)*") \(wrong-credentials\) from (\S+), /;

Deno.test("textLine() lets no user name pass for another address (issue 11)", () => {
  const pieces = [
    ...["ann", " ", '"', "\\", "(wrong-credentials)", " from ", ", PLAIN, "],
    ...["203.0.113.66", "\n18:05:09 warn  auth invalid x", ")", "(", "\u2028"],
  ];
  const random = newRandom(11);
  for (let round = 0; round < 2000; round++) {
    const username = Array.from(
      { length: 1 + random(12) },
      () => pieces[random(pieces.length)],
    ).join("");
    const event = {
      ...AUTH,
      outcome: "invalid",
      reason: "wrong-credentials",
      username,
    } as const;
    const line = textLine(entryFor(event), AT, ON_TERMINAL);
    assertFalse(/\n/.test(line));
    assertEquals(FILTER.exec(line)?.[1], "192.0.2.7", line);
  }
});

Deno.test("entryOf() has no line for what every connection does, nor for a flood", () => {
  for (
    const event of [
      { ...CLOSED, kind: "opened" },
      { ...CLOSED, kind: "secured", tls: true },
      { ...CLOSED, reason: "quit" },
      { ...CLOSED, reason: "client-gone" },
      { ...CLOSED, reason: "shutdown" },
      { ...CLOSED, reason: "temporary-failure" },
      { ...CLOSED, reason: "too-many-connections", again: true },
    ] as const
  ) {
    assertEquals(entryOf(event), undefined);
  }
});

Deno.test("entryOf() cuts names at 256 characters and other texts at 1024", () => {
  const long = "🐈".repeat(300);
  const { fields } = entryFor({ ...AUTH, username: long });
  assertEquals(fields.username, `${"🐈".repeat(256)}…`);
  const exact = "x".repeat(256);
  assertEquals(entryFor({ ...AUTH, username: exact }).fields.username, exact);
  const mail = entryFor({ ...MESSAGE, sender: long, error: "e".repeat(2000) });
  assertEquals(mail.fields.sender, `${"🐈".repeat(256)}…`);
  assertEquals(mail.fields.error, `${"e".repeat(1024)}…`);
  assert(mail.message.length < 2500);
});

Deno.test("jsonLine() shows every character (issue 11)", () => {
  const username = "a\u202eb\u2028c\u00a0d\x7fe\u200bf\u{e0041}g\ufeff";
  const line = jsonLine(entryFor({ ...AUTH, username }), AT);
  assertMatch(line, /^[\x20-\x7e]+$/);
  const { username: read } = JSON.parse(line);
  assertEquals(read, username);
});

Deno.test("jsonLine() has named fields", () => {
  assertEquals(JSON.parse(jsonLine(entryFor(AUTH), AT)), {
    time: AT.toISOString(),
    level: "info",
    message: "auth ok ann from 192.0.2.7, PLAIN, TLS, 12 ms",
    event: "auth",
    via: "smtp",
    id: "client1",
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
