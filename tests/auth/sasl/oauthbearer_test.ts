import { MAX_RESPONSE_OCTETS, startSasl } from "../../../auth/sasl/sasl.ts";
import {
  anyCase,
  atLeast,
  BEARER,
  either,
  exactly,
  LETTER,
  matches,
  optional,
  PRINTABLE_NOT_ASCII,
  range,
  sequence,
} from "../../support/abnf.ts";
import { assert } from "../../support/assert.ts";
import {
  assertAgrees,
  assertToken,
  longToken,
  tokenStep,
} from "../../support/bearer_steps.ts";
import { octetsOf } from "../../support/mutants.ts";
import { base64 } from "../../support/octets.ts";
import {
  assertRefused,
  BAD_MESSAGE,
  TOO_LONG,
} from "../../support/sasl_steps.ts";

const AUTH = "auth=Bearer dG9rZW4\x01";

function oauthbearer(message: string | readonly number[]) {
  return tokenStep("OAUTHBEARER", message);
}

Deno.test("OAUTHBEARER takes GS2 header, pairs and token apart", () => {
  const rows = [
    [`n,,\x01${AUTH}\x01`, "", "dG9rZW4"],
    [`y,,\x01${AUTH}\x01`, "", "dG9rZW4"],
    [`n,a=joe,\x01${AUTH}\x01`, "joe", "dG9rZW4"],
    // RFC 7628 section 4.1.
    [
      "n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01",
      "user@example.com",
      "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
    ],
    // curl, with its host and port in front.
    [
      "n,a=joe,\x01host=127.0.0.1\x01port=5825\x01auth=Bearer tok\x01\x01",
      "joe",
      "tok",
    ],
    [`n,a=j=2Co=3De,\x01${AUTH}\x01`, "j,o=e", "dG9rZW4"],
    [`n,a==3D2C=2C=3D,\x01${AUTH}\x01`, "=2C,=", "dG9rZW4"],
    [`n,a=jörg 🔑,\x01${AUTH}\x01`, "jörg 🔑", "dG9rZW4"],
    [`n,a=n/a,\x01${AUTH}\x01`, "n/a", "dG9rZW4"],
    ["n,,\x01auth=bEARER   -._~+/9a=====\x01\x01", "", "-._~+/9a====="],
    ["n,,\x01auth=Bearer x\x01host=\x01x=\t\r\n ~!\x01\x01", "", "x"],
    [`n,,\x01Auth=other\x01auths=1\x01${AUTH}\x01`, "", "dG9rZW4"],
  ] as const;
  for (const [message, username, token] of rows) {
    assertToken(oauthbearer(message), "OAUTHBEARER", username, token);
  }
});

Deno.test("OAUTHBEARER refuses what is no message of its", () => {
  const rows = [
    ["nothing", ""],
    ["only a separator", "\x01"],
    ["only separators", "\x01\x01\x01"],
    ["no header", AUTH + "\x01"],
    ["channel binding", `p=tls-unique,,\x01${AUTH}\x01`],
    ["a non-standard flag", `F,n,,\x01${AUTH}\x01`],
    ["another flag", `x,,\x01${AUTH}\x01`],
    ["a flag in upper case", `N,,\x01${AUTH}\x01`],
    ["no comma behind the name", `n,a=joe\x01${AUTH}\x01`],
    ["one comma", `n,\x01${AUTH}\x01`],
    ["three commas", `n,,,\x01${AUTH}\x01`],
    ["an empty name", `n,a=,\x01${AUTH}\x01`],
    ["a bare name", `n,joe,\x01${AUTH}\x01`],
    ["a comma in the name", `n,a=j,oe,\x01${AUTH}\x01`],
    ["a bare equals sign", `n,a=j=oe,\x01${AUTH}\x01`],
    ["an escape in lower case", `n,a=j=2coe,\x01${AUTH}\x01`],
    ["another escape", `n,a=j=41oe,\x01${AUTH}\x01`],
    ["an escape that is cut", `n,a=j=2,\x01${AUTH}\x01`],
    ["a NUL in the name", `n,a=j\0e,\x01${AUTH}\x01`],
    ["C1 in the name", `n,a=j\x85e,\x01${AUTH}\x01`],
    ["no pairs", "n,,\x01\x01"],
    ["no auth", "n,,\x01host=a\x01\x01"],
    ["auth twice", `n,,\x01${AUTH}${AUTH}\x01`],
    ["auth empty", "n,,\x01auth=\x01\x01"],
    ["no token", "n,,\x01auth=Bearer \x01\x01"],
    ["no space", "n,,\x01auth=Bearerx\x01\x01"],
    ["a tab", "n,,\x01auth=Bearer\tx\x01\x01"],
    ["a space behind", "n,,\x01auth=Bearer x \x01\x01"],
    ["two tokens", "n,,\x01auth=Bearer x y\x01\x01"],
    ["two Bearers", "n,,\x01auth=Bearer x, Bearer y\x01\x01"],
    ["another scheme", "n,,\x01auth=Basic dG9rZW4=\x01\x01"],
    ["padding in front", "n,,\x01auth=Bearer =x\x01\x01"],
    ["only padding", "n,,\x01auth=Bearer =\x01\x01"],
    ["a line break", "n,,\x01auth=Bearer x\r\n\x01\x01"],
    ["a letter beyond ASCII", "n,,\x01auth=Bearer ä\x01\x01"],
    ["AUTH in upper case", "n,,\x01AUTH=Bearer x\x01\x01"],
    ["a key with a digit", `n,,\x01${AUTH}k1=x\x01\x01`],
    ["an empty key", `n,,\x01${AUTH}=x\x01\x01`],
    ["a pair without a sign", `n,,\x01${AUTH}key\x01\x01`],
    ["a value beyond ASCII", `n,,\x01${AUTH}key=ü\x01\x01`],
    ["a NUL in a value", `n,,\x01${AUTH}key=\0\x01\x01`],
    ["one separator at the end", "n,,\x01auth=Bearer x\x01"],
    ["none", "n,,\x01auth=Bearer x"],
    ["three", "n,,\x01auth=Bearer x\x01\x01\x01"],
    ["something behind", `n,,\x01${AUTH}\x01x`],
    ["an empty pair inside", `n,,\x01\x01${AUTH}\x01`],
    ["XOAUTH2's message", `user=joe\x01${AUTH}\x01`],
    ["PLAIN's message", "\0joe\0secret"],
  ] as const;
  for (const [what, message] of rows) {
    assertRefused(oauthbearer(message), BAD_MESSAGE, what);
  }
});

Deno.test("OAUTHBEARER takes what is not UTF-8 for bad grammar", () => {
  for (const bad of ["\xff", "\xc3", "\xe9", "\xed\xa0\x80", "\xc0\xaf"]) {
    const message = octetsOf(`n,a=j${bad},\x01${AUTH}\x01`);
    assertRefused(oauthbearer(message), BAD_MESSAGE, escape(bad));
  }
});

Deno.test("OAUTHBEARER takes a token of 9 KB, and no line beyond 12,288 octets", () => {
  const rest = "n,a=joe,\x01auth=Bearer \x01\x01".length;
  const longest = longToken(MAX_RESPONSE_OCTETS / 4 * 3 - rest);
  for (const token of [longToken(6144), longest]) {
    const message = `n,a=joe,\x01auth=Bearer ${token}\x01\x01`;
    assertToken(oauthbearer(message), "OAUTHBEARER", "joe", token);
  }
  const tooLong = `n,a=joe,\x01auth=Bearer ${longest}x\x01\x01`;
  assertRefused(
    startSasl("OAUTHBEARER", base64(tooLong)),
    TOO_LONG,
    "one octet more",
  );
});

/** The name of RFC 5801 section 4, but without control characters. */
const NAME = atLeast(
  1,
  either(
    range(0x20, 0x2b),
    range(0x2d, 0x3c),
    range(0x3e, 0x7e),
    PRINTABLE_NOT_ASCII,
    exactly("=2C"),
    exactly("=3D"),
  ),
);
const HEADER = sequence(
  either(exactly("n"), exactly("y")),
  exactly(","),
  optional(sequence(exactly("a="), NAME)),
  exactly(","),
);
/** RFC 7628 section 3.1. */
const VALUE = atLeast(
  0,
  either(range(0x21, 0x7e), ...[..." \t\r\n"].map(exactly)),
);
const KEY: typeof LETTER = (text, at) =>
  // One pair is told from the others by its name.
  atLeast(1, LETTER)(text, at).filter((end) =>
    text[end] !== "=" || text.slice(at, end) !== "auth"
  );
const OTHERS = atLeast(0, sequence(KEY, exactly("="), VALUE, exactly("\x01")));
const MESSAGE = sequence(
  HEADER,
  exactly("\x01"),
  OTHERS,
  exactly("auth="),
  BEARER,
  exactly("\x01"),
  OTHERS,
  exactly("\x01"),
);

Deno.test("the reference is no stricter than the examples of RFC 7628", () => {
  assert(matches(MESSAGE, `n,a=j=2Co,\x01host=x\x01${AUTH}port=1\x01\x01`));
  assert(!matches(MESSAGE, `n,,\x01${AUTH}${AUTH}\x01`));
  assert(matches(anyCase("bearer"), "BEARER"));
});

Deno.test("OAUTHBEARER agrees with a reference on every octet in every place", () => {
  const seeds = [
    "n,a==2C,\x01h=x\x01auth=Bearer a=\x01\x01",
    "y,a=\xc3\xa9,\x01auth=bearer z\x01p=\x01\x01",
  ];
  assertAgrees("OAUTHBEARER", MESSAGE, seeds);
});
