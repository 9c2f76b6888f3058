import { continueSasl, startSasl } from "../../../auth/sasl/sasl.ts";
import type { SaslStep } from "../../../auth/sasl/steps.ts";
import { assertEquals } from "../../support/assert.ts";
import { base64, joinOctets } from "../../support/octets.ts";
import {
  assertRefused,
  BAD_BASE64,
  BAD_MESSAGE,
  BAD_UTF8,
  CANCELLED,
  challengeOf,
  loginPasswordChallenge,
} from "../../support/sasl_steps.ts";

/** What LOGIN makes of a user name; both ways to send it must agree. */
function loginUser(username: string | readonly number[]): SaslStep {
  const response = base64(username);
  const later = continueSasl(challengeOf(startSasl("LOGIN")), response);
  const atOnce = startSasl("LOGIN", response === "" ? "=" : response);
  assertEquals(atOnce, later, "initial response and continuation agree");
  return later;
}

/** What LOGIN makes of ann's password. */
function loginPassword(password: string | readonly number[]): SaslStep {
  return continueSasl(loginPasswordChallenge("ann"), base64(password));
}

Deno.test("LOGIN asks for the user name, then for the password", () => {
  const first = startSasl("LOGIN");
  assertEquals<SaslStep>(first, {
    kind: "challenge",
    mechanism: "LOGIN",
    progress: "apLoginUser",
    challenge: "VXNlcm5hbWU6",
  });
  const second = continueSasl(challengeOf(first), base64("ann"));
  assertEquals<SaslStep>(second, {
    kind: "challenge",
    mechanism: "LOGIN",
    progress: "apLoginPass",
    challenge: "UGFzc3dvcmQ6",
    username: "ann",
  });
  const last = continueSasl(challengeOf(second), base64("secret"));
  assertEquals<SaslStep>(last, {
    kind: "credentials",
    mechanism: "LOGIN",
    username: "ann",
    password: "secret",
  });
  assertEquals([atob("VXNlcm5hbWU6"), atob("UGFzc3dvcmQ6")], [
    "Username:",
    "Password:",
  ]);
});

Deno.test("LOGIN takes an initial response as the user name", () => {
  assertEquals<SaslStep>(startSasl("LOGIN", base64("ann")), {
    kind: "challenge",
    mechanism: "LOGIN",
    progress: "apLoginPass",
    challenge: "UGFzc3dvcmQ6",
    username: "ann",
  });
});

Deno.test("LOGIN refuses an empty user name and an empty password", () => {
  assertRefused(loginUser(""), BAD_MESSAGE, "user name");
  assertRefused(startSasl("LOGIN", "="), BAD_MESSAGE, "user name as =");
  assertRefused(loginPassword(""), BAD_MESSAGE, "password");
});

Deno.test("LOGIN refuses C0, DEL and C1 in a user name and nothing around them", () => {
  for (let code = 0; code <= 0xa0; code++) {
    const c = String.fromCodePoint(code);
    const control = code < 0x20 || (code >= 0x7f && code <= 0x9f);
    for (const name of [`${c}ann`, `an${c}n`, `ann${c}`, c]) {
      const what = `U+${code.toString(16)}`;
      const step = loginUser(name);
      if (control) assertRefused(step, BAD_MESSAGE, what);
      else assertEquals(challengeOf(step).username, name, what);
    }
  }
});

Deno.test("LOGIN takes every character but NUL in a password", () => {
  for (const password of ["\0", "\0secret", "sec\0ret", "secret\0", "\0\0"]) {
    assertRefused(
      loginPassword(password),
      BAD_MESSAGE,
      JSON.stringify(password),
    );
  }
  const passwords = [
    "\ufeffsecret",
    "\ufeff",
    " ",
    "\u{10ffff}",
    "\ufffd",
    "p\u00e4ss\u732b\u{1f431}",
  ];
  for (let code = 1; code <= 0xa0; code++) {
    passwords.push(`a${String.fromCodePoint(code)}`);
  }
  for (const password of passwords) {
    assertEquals<SaslStep>(loginPassword(password), {
      kind: "credentials",
      mechanism: "LOGIN",
      username: "ann",
      password,
    });
  }
});

Deno.test("LOGIN answers bad UTF-8 like a wrong password", () => {
  const samples = [
    ["Latin-1", [0xe9]],
    ["a lone continuation octet", [0x80]],
    ["an overlong NUL", [0xc0, 0x80]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
    ["a character cut short", [0xe2, 0x82]],
  ] as const;
  for (const [what, bad] of samples) {
    assertRefused(loginUser(bad), BAD_UTF8, what);
    assertRefused(loginUser(joinOctets("ann", bad)), BAD_UTF8, what);
    assertRefused(loginPassword(bad), BAD_UTF8, what);
    assertRefused(loginPassword(joinOctets(bad, "secret")), BAD_UTF8, what);
  }
});

Deno.test("LOGIN can be cancelled at both questions", () => {
  const first = challengeOf(startSasl("LOGIN"));
  assertRefused(continueSasl(first, "*"), CANCELLED, "at the user name");
  assertRefused(
    continueSasl(loginPasswordChallenge(), "*"),
    CANCELLED,
    "at the password",
  );
  assertRefused(startSasl("LOGIN", "*"), BAD_BASE64, "as an initial response");
});

Deno.test("LOGIN keeps exchanges apart: all that is known is in the step", () => {
  const ann = loginPasswordChallenge("ann");
  const bob = loginPasswordChallenge("bob");
  const cases = [[ann, "ann", "1"], [bob, "bob", "2"], [
    ann,
    "ann",
    "3",
  ]] as const;
  for (const [challenge, username, password] of cases) {
    assertEquals<SaslStep>(continueSasl(challenge, base64(password)), {
      kind: "credentials",
      mechanism: "LOGIN",
      username,
      password,
    });
  }
  assertEquals(challengeOf(startSasl("LOGIN")).username, undefined);
});
