import { continueSasl, startSasl } from "../../../auth/sasl/sasl.ts";
import type { SaslStep } from "../../../auth/sasl/steps.ts";
import { assertEquals } from "../../support/assert.ts";
import { base64, joinOctets } from "../../support/octets.ts";
import {
  assertRefused,
  AUTHZID_DIFFERS,
  BAD_MESSAGE,
  BAD_UTF8,
  challengeOf,
  type Refusal,
} from "../../support/sasl_steps.ts";

/** What PLAIN makes of a message; both ways to send it must agree. */
function plain(message: string | readonly number[]): SaslStep {
  const response = base64(message);
  const later = continueSasl(challengeOf(startSasl("PLAIN")), response);
  const atOnce = startSasl("PLAIN", response === "" ? "=" : response);
  assertEquals(atOnce, later, "initial response and continuation agree");
  return later;
}

function assertAccepted(step: SaslStep, username: string, password: string) {
  assertEquals<SaslStep>(step, {
    kind: "credentials",
    mechanism: "PLAIN",
    username,
    password,
  });
}

Deno.test("PLAIN takes [authzid] NUL authcid NUL passwd apart", () => {
  const messages = [
    ["\0ann\0secret", "ann", "secret"],
    ["ann\0ann\0secret", "ann", "secret"],
    ["\0a\0b", "a", "b"],
    ["\0ann@example.org\0p", "ann@example.org", "p"],
    ["\0tim\0tanstaaftanstaaf", "tim", "tanstaaftanstaaf"],
    ["\0 ann \0 secret ", " ann ", " secret "],
    [
      "\0\u00fcmit\0p\u00e4ss \u732b \u{1f431}",
      "\u00fcmit",
      "p\u00e4ss \u732b \u{1f431}",
    ],
    ["\u{1f431}\0\u{1f431}\0\u{1f431}", "\u{1f431}", "\u{1f431}"],
    ["\0=\0*", "=", "*"],
    ["\0__proto__\0constructor", "__proto__", "constructor"],
  ] as const;
  for (const [message, username, password] of messages) {
    assertAccepted(plain(message), username, password);
  }
});

Deno.test("PLAIN refuses what is no [authzid] NUL authcid NUL passwd", () => {
  const messages = [
    ["an empty message", ""],
    ["no NUL", "ann"],
    ["one NUL", "ann\0secret"],
    ["only a NUL", "\0"],
    ["only two NULs", "\0\0"],
    ["only three NULs", "\0\0\0"],
    ["a NUL at the end of the password", "\0ann\0secret\0"],
    ["a NUL in the password", "\0ann\0sec\0ret"],
    ["a NUL at the start of the password", "\0ann\0\0secret"],
    ["one field too many", "ann\0ann\0secret\0more"],
    ["no user name", "\0\0secret"],
    ["no user name, but an authzid", "ann\0\0secret"],
    ["no password", "\0ann\0"],
    ["no password, but an authzid", "ann\0ann\0"],
    ["no user name, another authzid, no password", "bob\0\0"],
  ] as const;
  for (const [what, message] of messages) {
    assertRefused(plain(message), BAD_MESSAGE, what);
  }
});

Deno.test("PLAIN refuses C0, DEL and C1 in a user name and nothing around them", () => {
  // U+0000 is the separator: tested with the grammar.
  for (let code = 1; code <= 0xa0; code++) {
    const c = String.fromCodePoint(code);
    const control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    for (const name of [`${c}ann`, `an${c}n`, `ann${c}`, c]) {
      const what = `U+${code.toString(16)}`;
      for (
        const step of [plain(`\0${name}\0secret`), plain(`${name}\0${name}\0x`)]
      ) {
        if (control) assertRefused(step, BAD_MESSAGE, what);
        else assertEquals(step.kind, "credentials", what);
      }
    }
  }
});

Deno.test("PLAIN takes every character but NUL in a password", () => {
  for (let code = 1; code <= 0xa0; code++) {
    const c = String.fromCodePoint(code);
    assertAccepted(plain(`\0ann\0${c}`), "ann", c);
    assertAccepted(plain(`\0ann\0a${c}b`), "ann", `a${c}b`);
  }
  for (
    const c of ["\u2028", "\u200b", "\ufdd0", "\uffff", "\u{10ffff}", "\ufffd"]
  ) {
    assertAccepted(plain(`\0ann\0${c}`), "ann", c);
  }
});

/** Octets that are not UTF-8 (Unicode, table 3-7), none of them NUL. */
const NOT_UTF8 = [
  ["a lone continuation octet", [0x80]],
  ["Latin-1", [0xe9]],
  ["FE", [0xfe]],
  ["FF", [0xff]],
  ["an overlong NUL", [0xc0, 0x80]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["an overlong slash of three", [0xe0, 0x80, 0xaf]],
  ["a high surrogate", [0xed, 0xa0, 0x80]],
  ["a surrogate pair (CESU-8)", [0xed, 0xa0, 0xbd, 0xed, 0xb0, 0xb1]],
  ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["five octets", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["cut after two of three", [0xe2, 0x82]],
  ["cut in the middle", [0xe2, 0x82, 0x61]],
] as const;

Deno.test("PLAIN answers bad UTF-8 like a wrong password", () => {
  for (const [what, bad] of NOT_UTF8) {
    const rows: readonly (readonly [string, number[], Refusal])[] = [
      ["user name", joinOctets([0], bad, [0], "secret"), BAD_UTF8],
      ["user name, behind", joinOctets("\0ann", bad, "\0secret"), BAD_UTF8],
      ["password", joinOctets("\0ann\0", bad), BAD_UTF8],
      ["password, in front", joinOctets("\0ann\0", bad, "secret"), BAD_UTF8],
      ["both", joinOctets("\0", bad, "\0", bad), BAD_UTF8],
      ["all three", joinOctets(bad, "\0", bad, "\0", bad), BAD_UTF8],
      ["authzid", joinOctets(bad, "\0ann\0secret"), AUTHZID_DIFFERS],
    ];
    for (const [where, message, refusal] of rows) {
      assertRefused(plain(message), refusal, `${what}: ${where}`);
    }
  }
});

Deno.test("PLAIN judges the grammar before the encoding", () => {
  for (const [what, bad] of NOT_UTF8) {
    const messages = [
      joinOctets(bad),
      joinOctets("\0", bad),
      joinOctets("\0", bad, "\0"),
      joinOctets("\0\0", bad),
      joinOctets("\0ann\0", bad, "\0"),
    ];
    for (const message of messages) {
      assertRefused(plain(message), BAD_MESSAGE, what);
    }
  }
});

Deno.test("PLAIN refuses an authzid other than the authcid", () => {
  const pairs = [
    ["bob", "ann"],
    ["Ann", "ann"],
    ["an", "ann"],
    ["annn", "ann"],
    ["ann ", "ann"],
    [" ", "ann"],
    ["ann@example.org", "ann"],
    ["u:ann", "ann"],
    ["\ufeffann", "ann"],
    ["ann", "\ufeffann"],
    // One character in two spellings: NFD and NFC are different octets.
    ["e\u0301", "\u00e9"],
    ["ann\r\n", "ann"],
  ] as const;
  for (const [authzid, authcid] of pairs) {
    const step = plain(`${authzid}\0${authcid}\0secret`);
    assertRefused(step, AUTHZID_DIFFERS, JSON.stringify([authzid, authcid]));
  }
});

Deno.test("PLAIN keeps a byte order mark: it may belong to the password", () => {
  assertAccepted(plain("\0ann\0\ufeffsecret"), "ann", "\ufeffsecret");
  assertAccepted(plain("\0ann\0\ufeff"), "ann", "\ufeff");
  assertAccepted(plain("\0\ufeffann\0secret"), "\ufeffann", "secret");
});

/** PLAIN in five lines on a binary string, for comparison. */
function reference(message: string): string {
  const fields = message.split("\0");
  const [authzid = "", authcid = "", passwd = ""] = fields;
  if (fields.length !== 3 || authcid === "" || passwd === "") {
    return "bad-message";
  }
  // The alphabet below holds one way to be UTF-8 beyond ASCII: C3 A9.
  const isUTF8 = (text: string) => /^(?:[\0-\x7f]|\xc3\xa9)*$/.test(text);
  if (!isUTF8(authcid) || !isUTF8(passwd)) return "bad-utf8";
  if (/\p{Cc}/u.test(authcid)) return "bad-message";
  return authzid === "" || authzid === authcid
    ? "credentials"
    : "authzid-differs";
}

Deno.test("PLAIN agrees with a reference on all short messages of seven octets", () => {
  const alphabet = [0x00, 0x01, 0x61, 0x62, 0x7f, 0xc3, 0xa9];
  const seen = new Map<string, number>();
  let messages: number[][] = [[]];
  for (let length = 0; length <= 5; length++) {
    for (const message of messages) {
      const step = startSasl("PLAIN", base64(message) || "=");
      const actual = step.kind === "error" ? step.reason : step.kind;
      const expected = reference(String.fromCharCode(...message));
      if (actual !== expected) {
        assertEquals<string>(actual, expected, message.join(" "));
      }
      seen.set(expected, (seen.get(expected) ?? 0) + 1);
    }
    messages = messages.flatMap((m) => alphabet.map((octet) => [...m, octet]));
  }
  assertEquals([...seen.keys()].sort(), [
    "authzid-differs",
    "bad-message",
    "bad-utf8",
    "credentials",
  ]);
});
