import { MAX_RESPONSE_OCTETS, startSasl } from "../../../auth/sasl/sasl.ts";
import {
  atLeast,
  BEARER,
  either,
  exactly,
  PRINTABLE_NOT_ASCII,
  range,
  sequence,
} from "../../support/abnf.ts";
import {
  assertAgrees,
  assertToken,
  longToken,
  tokenStep,
} from "../../support/bearer_steps.ts";
import { base64 } from "../../support/octets.ts";
import {
  assertRefused,
  BAD_MESSAGE,
  TOO_LONG,
} from "../../support/sasl_steps.ts";

function xoauth2(message: string | readonly number[]) {
  return tokenStep("XOAUTH2", message);
}

Deno.test("XOAUTH2 takes user name and token apart", () => {
  const rows = [
    [
      "user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01",
      "someuser@example.com",
      "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg",
    ],
    ["user=a\x01auth=bearer  b==\x01\x01", "a", "b=="],
    ["user=user=j,o=2C\x01auth=BEARER -._~+/\x01\x01", "user=j,o=2C", "-._~+/"],
    ["user= jörg 🔑\x01auth=Bearer x\x01\x01", " jörg 🔑", "x"],
  ] as const;
  for (const [message, username, token] of rows) {
    assertToken(xoauth2(message), "XOAUTH2", username, token);
  }
});

Deno.test("XOAUTH2 refuses what is no message of its", () => {
  const rows = [
    ["nothing", ""],
    ["only a separator", "\x01"],
    ["no user name", "user=\x01auth=Bearer x\x01\x01"],
    ["no user", "auth=Bearer x\x01\x01"],
    ["no auth", "user=joe\x01\x01"],
    ["no token", "user=joe\x01auth=Bearer \x01\x01"],
    ["no space", "user=joe\x01auth=Bearerx\x01\x01"],
    ["another scheme", "user=joe\x01auth=Basic x\x01\x01"],
    ["another order", "auth=Bearer x\x01user=joe\x01\x01"],
    ["a third pair", "user=joe\x01auth=Bearer x\x01host=a\x01\x01"],
    ["the token twice", "user=joe\x01auth=Bearer x\x01auth=Bearer y\x01\x01"],
    ["the user twice", "user=joe\x01user=ann\x01auth=Bearer x\x01\x01"],
    ["one separator at the end", "user=joe\x01auth=Bearer x\x01"],
    ["none", "user=joe\x01auth=Bearer x"],
    ["three", "user=joe\x01auth=Bearer x\x01\x01\x01"],
    ["something behind", "user=joe\x01auth=Bearer x\x01\x01y"],
    ["a key in upper case", "User=joe\x01auth=Bearer x\x01\x01"],
    ["a line break", "user=joe\x01auth=Bearer x\n\x01\x01"],
    ["NUL in the name", "user=j\0e\x01auth=Bearer x\x01\x01"],
    ["a line break in the name", "user=j\r\ne\x01auth=Bearer x\x01\x01"],
    ["DEL in the name", "user=j\x7fe\x01auth=Bearer x\x01\x01"],
    ["C1 in the name", "user=j\x85e\x01auth=Bearer x\x01\x01"],
    ["a letter beyond ASCII", "user=joe\x01auth=Bearer ä\x01\x01"],
    ["OAUTHBEARER's message", "n,a=joe,\x01auth=Bearer x\x01\x01"],
    ["PLAIN's message", "\0joe\0secret"],
  ] as const;
  for (const [what, message] of rows) {
    assertRefused(xoauth2(message), BAD_MESSAGE, what);
  }
});

Deno.test("XOAUTH2 takes a token of 9 KB, and no line beyond 12,288 octets", () => {
  const rest = "user=joe\x01auth=Bearer \x01\x01".length;
  const longest = longToken(MAX_RESPONSE_OCTETS / 4 * 3 - rest);
  for (const token of [longToken(6144), longest]) {
    const message = `user=joe\x01auth=Bearer ${token}\x01\x01`;
    assertToken(xoauth2(message), "XOAUTH2", "joe", token);
  }
  const tooLong = `user=joe\x01auth=Bearer ${longest}x\x01\x01`;
  assertRefused(startSasl("XOAUTH2", base64(tooLong)), TOO_LONG, "one more");
});

const MESSAGE = sequence(
  exactly("user="),
  atLeast(1, either(range(0x20, 0x7e), PRINTABLE_NOT_ASCII)),
  exactly("\x01auth="),
  BEARER,
  exactly("\x01\x01"),
);

Deno.test("XOAUTH2 agrees with a reference on every octet in every place", () => {
  const seeds = [
    "user=j@o\x01auth=Bearer a+=\x01\x01",
    "user=\xe2\x82\xac\x01auth=bearer z\x01\x01",
  ];
  assertAgrees("XOAUTH2", MESSAGE, seeds);
});
