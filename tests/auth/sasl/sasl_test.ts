import {
  continueSasl,
  MAX_RESPONSE_OCTETS,
  startSasl,
} from "../../../auth/sasl/sasl.ts";
import { KNOWN_MECHANISMS } from "../../../auth/sasl/offer.ts";
import type { SmtpReply } from "../../../auth/replies.ts";
import {
  SASL_ERRORS,
  type SaslChallenge,
  type SaslStep,
} from "../../../auth/sasl/steps.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import { newRandom, pick } from "../../support/random.ts";
import {
  assertRefused,
  BAD_BASE64,
  BAD_MESSAGE,
  CANCELLED,
  challengeOf,
  loginPasswordChallenge,
  NO_MECHANISM,
  OUT_OF_SEQUENCE,
  TOO_LONG,
  UNKNOWN_MECHANISM,
} from "../../support/sasl_steps.ts";

const ASK_PLAIN: SaslChallenge = {
  kind: "challenge",
  mechanism: "PLAIN",
  progress: "apPlain",
  challenge: "",
};
const ASK_LOGIN_USER: SaslChallenge = {
  kind: "challenge",
  mechanism: "LOGIN",
  progress: "apLoginUser",
  challenge: "VXNlcm5hbWU6",
};
const ASK_LOGIN_PASS: SaslChallenge = {
  kind: "challenge",
  mechanism: "LOGIN",
  progress: "apLoginPass",
  challenge: "UGFzc3dvcmQ6",
  username: "ann",
};
const ASK_XOAUTH2: SaslChallenge = {
  kind: "challenge",
  mechanism: "XOAUTH2",
  progress: "apToken",
  challenge: "",
};
const ASK_OAUTHBEARER: SaslChallenge = {
  ...ASK_XOAUTH2,
  mechanism: "OAUTHBEARER",
};
const ALL_CHALLENGES = [
  ASK_PLAIN,
  ASK_LOGIN_USER,
  ASK_LOGIN_PASS,
  ASK_XOAUTH2,
  ASK_OAUTHBEARER,
] as const;

const NAMES = KNOWN_MECHANISMS.map(({ name }) => name);

const ANN = base64("\0ann\0secret");

Deno.test("startSasl() takes a mechanism in any letter case", () => {
  const names = [
    ["PLAIN", ASK_PLAIN],
    ["plain", ASK_PLAIN],
    ["Plain", ASK_PLAIN],
    ["pLAIn", ASK_PLAIN],
    ["LOGIN", ASK_LOGIN_USER],
    ["login", ASK_LOGIN_USER],
    ["LoGiN", ASK_LOGIN_USER],
    ["XOAUTH2", ASK_XOAUTH2],
    ["xOAuth2", ASK_XOAUTH2],
    ["OAUTHBEARER", ASK_OAUTHBEARER],
    ["OAuthBearer", ASK_OAUTHBEARER],
  ] as const;
  for (const [name, challenge] of names) {
    assertEquals<SaslStep>(startSasl(name), challenge, name);
  }
  assertEquals<SaslStep>(startSasl("plain", ANN), {
    kind: "credentials",
    mechanism: "PLAIN",
    username: "ann",
    password: "secret",
  });
});

Deno.test("startSasl() refuses a mechanism that it does not know", () => {
  const names = [
    "CRAM-MD5",
    "XOAUTH",
    "XOAUTH22",
    "OAUTHBEARER2",
    "OAUTH10A",
    "SCRAM-SHA-256",
    "EXTERNAL",
    "PLAIN2",
    "PLAI",
    "PLAIN ",
    " PLAIN",
    "PLAIN\r\n",
    "PLAIN\0",
    "*",
    "=",
    // Upper case in Unicode is not upper case in SMTP.
    "pla\u0131n",
    "log\u0131n",
    "log\u0130n",
    "\uff30\uff2c\uff21\uff29\uff2e",
    // Names that every object has.
    "constructor",
    "__proto__",
    "toString",
    "TOSTRING",
    "hasOwnProperty",
    "size",
    "get",
    "P".repeat(21),
    "PLAIN".repeat(10_000),
  ];
  for (const name of names) {
    for (const response of [undefined, "", "=", ANN, "*"]) {
      const step = response === undefined
        ? startSasl(name)
        : startSasl(name, response);
      assertRefused(step, UNKNOWN_MECHANISM, JSON.stringify([name, response]));
    }
  }
});

Deno.test("startSasl() wants a mechanism", () => {
  assertRefused(startSasl(""), NO_MECHANISM, "none");
  // What a server has that takes a line apart: `AUTH` may stand alone.
  const [, word, more] = "AUTH".split(" ");
  assertRefused(startSasl(word, more), NO_MECHANISM, "no word");
  assertRefused(startSasl("", ANN), NO_MECHANISM, "none, with a response");
});

Deno.test("KNOWN_MECHANISMS is what startSasl() takes, in the order of the offer", () => {
  assertEquals(NAMES, ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"]);
  for (const name of NAMES) {
    assertEquals(challengeOf(startSasl(name)).mechanism, name);
  }
});

Deno.test("startSasl() tells an absent initial response from one of zero length", () => {
  const challenges = [["PLAIN", ASK_PLAIN], ["LOGIN", ASK_LOGIN_USER]] as const;
  for (const [mechanism, challenge] of challenges) {
    assertEquals<SaslStep>(startSasl(mechanism), challenge);
    assertEquals<SaslStep>(startSasl(mechanism, undefined), challenge);
    assertEquals<SaslStep>(startSasl(mechanism, ""), challenge);
    // Zero length is a response that is there, and not a valid one.
    assertRefused(startSasl(mechanism, "="), BAD_MESSAGE, `${mechanism} =`);
  }
});

Deno.test('continueSasl() takes "" as zero length and "=" as not base64', () => {
  for (const challenge of ALL_CHALLENGES) {
    assertRefused(continueSasl(challenge, ""), BAD_MESSAGE, challenge.progress);
    assertRefused(continueSasl(challenge, "="), BAD_BASE64, challenge.progress);
  }
});

Deno.test("continueSasl() ends the exchange at an asterisk that stands alone", () => {
  for (const challenge of ALL_CHALLENGES) {
    assertRefused(continueSasl(challenge, "*"), CANCELLED, challenge.progress);
    for (const response of ["**", "* ", " *", "*=", "*AAA", "\uff0a"]) {
      assertRefused(continueSasl(challenge, response), BAD_BASE64, response);
    }
  }
  assertRefused(startSasl("PLAIN", "*"), BAD_BASE64, "as an initial response");
});

/** Spellings of ann's PLAIN message that a lenient decoder would take. */
const NOT_BASE64 = [
  ["without padding", base64("\0ann\0secre").replace(/=+$/, "")],
  ["half of the padding", base64("\0ann\0secre").slice(0, -1)],
  ["too much padding", `${ANN}=`],
  ["a group of padding", `${ANN}====`],
  [
    "non-zero padding bits",
    base64("\0ann\0secre").replace("==", "").slice(0, -1) + "R==",
  ],
  ["two messages", base64("\0ann\0secre") + ANN],
  ["white space inside", `${ANN.slice(0, 4)} ${ANN.slice(4)}`],
  ["white space behind", `${ANN} `],
  ["white space in front", ` ${ANN}`],
  ["a tab", `${ANN.slice(0, 4)}\t${ANN.slice(4)}`],
  ["CR", `${ANN}\r`],
  ["LF", `${ANN}\n`],
  ["CRLF inside", `${ANN.slice(0, 4)}\r\n${ANN.slice(4)}`],
  [
    "the URL-safe alphabet",
    base64("\0ann\0~~~???~").replaceAll("+", "-").replaceAll("/", "_"),
  ],
  ["NUL", `${ANN}\0`],
  ["no base64 at all", "ann secret"],
  ["a bare user name", "ann@example.org"],
  ["Latin-1", "AGFubgBzZWNyZXQ\u00e9"],
  ["a character whose low octet fits", `${ANN.slice(0, -1)}\u0141`],
  ["a full-width letter", `${ANN.slice(0, -1)}\uff21`],
  ["an astral character", `${ANN.slice(0, -2)}\u{1f431}`],
  ["a byte order mark", `\ufeff${ANN}`],
] as const;

Deno.test("startSasl() and continueSasl() refuse everything but strict base64", () => {
  for (const [what, response] of NOT_BASE64) {
    for (const mechanism of NAMES) {
      assertRefused(startSasl(mechanism, response), BAD_BASE64, what);
    }
    for (const challenge of ALL_CHALLENGES) {
      assertRefused(continueSasl(challenge, response), BAD_BASE64, what);
    }
  }
  // The rows are wrong in one thing only: repaired, they are credentials.
  for (const password of ["secre", "secret", "~~~???~"]) {
    assertEquals(
      startSasl("PLAIN", base64(`\0ann\0${password}`)).kind,
      "credentials",
    );
  }
  assertMatch(base64("\0ann\0~~~???~"), /\+.*\/|\/.*\+/);
});

Deno.test("startSasl() and continueSasl() take 12,288 octets and not one more", () => {
  assertEquals(MAX_RESPONSE_OCTETS, 12_288);
  const password = "p".repeat(9_216);
  const longest = base64(password);
  assertEquals(longest.length, 12_288);
  assertEquals<SaslStep>(continueSasl(ASK_LOGIN_PASS, longest), {
    kind: "credentials",
    mechanism: "LOGIN",
    username: "ann",
    password,
  });
  assertEquals(challengeOf(startSasl("LOGIN", longest)).username, password);
  const plain = base64(`\0ann\0${"p".repeat(9_216 - 5)}`);
  assertEquals(plain.length, 12_288);
  assertEquals(continueSasl(ASK_PLAIN, plain).kind, "credentials");
  assertEquals(startSasl("PLAIN", plain).kind, "credentials");

  const tooLong = [
    ["one more", "A".repeat(12_289)],
    ["one padding more", `${longest}=`],
    ["one space more", `${longest} `],
    ["a whole group more", base64("p".repeat(9_217))],
    ["not base64 either", "*".repeat(12_289)],
    ["a megabyte", "A".repeat(1 << 20)],
  ] as const;
  for (const [what, response] of tooLong) {
    for (const mechanism of NAMES) {
      assertRefused(startSasl(mechanism, response), TOO_LONG, what);
    }
    for (const challenge of ALL_CHALLENGES) {
      assertRefused(continueSasl(challenge, response), TOO_LONG, what);
    }
  }
  assertRefused(
    continueSasl(ASK_PLAIN, "*".repeat(12_288)),
    BAD_BASE64,
    "at the limit",
  );
});

Deno.test("continueSasl() refuses a challenge that no exchange has made", () => {
  const forged: readonly SaslChallenge[] = [
    { ...ASK_PLAIN, progress: "apNone" },
    {
      kind: "challenge",
      mechanism: "LOGIN",
      progress: "apLoginPass",
      challenge: "",
    },
    JSON.parse(
      '{"kind":"challenge","mechanism":"X","progress":"apX","challenge":""}',
    ),
    JSON.parse(
      '{"kind":"challenge","mechanism":"X","progress":"__proto__","challenge":""}',
    ),
  ];
  for (const challenge of forged) {
    assertRefused(
      continueSasl(challenge, ANN),
      OUT_OF_SEQUENCE,
      challenge.progress,
    );
  }
});

Deno.test("SaslStep is plain data: it survives JSON and goes on from there", () => {
  const steps = [
    ...ALL_CHALLENGES,
    startSasl("PLAIN"),
    startSasl("LOGIN"),
    loginPasswordChallenge("\u00fcmit\ufeff"),
    startSasl("PLAIN", ANN),
    ...Object.values(SASL_ERRORS),
  ];
  for (const step of steps) {
    const copy: SaslStep = JSON.parse(JSON.stringify(step));
    assertEquals(copy, step);
    assertEquals(structuredClone(step), step);
    assertEquals(Object.getPrototypeOf(step), Object.prototype);
    if (step.kind !== "challenge" || copy.kind !== "challenge") continue;
    assertEquals(
      continueSasl(copy, base64("ann")),
      continueSasl(step, base64("ann")),
    );
  }
});

Deno.test("continueSasl() is pure: it leaves its step alone and repeats itself", () => {
  for (const challenge of ALL_CHALLENGES) {
    const frozen = Object.freeze({ ...challenge });
    for (const response of [ANN, base64("ann"), "", "*", "?"]) {
      assertEquals(
        continueSasl(frozen, response),
        continueSasl(frozen, response),
      );
    }
    assertEquals<SaslChallenge>(frozen, challenge);
  }
});

Deno.test("SASL_ERRORS are replies that nobody can change for the next client", () => {
  for (const [name, step] of Object.entries(SASL_ERRORS)) {
    const reply: SmtpReply = step; // a compile-time check too
    assert(reply.code >= 500 && reply.code < 600, name);
    assert(reply.enhanced?.startsWith("5."), name);
    assertThrows(() => Object.assign(step, { code: 235 }), TypeError);
  }
  for (const mechanism of NAMES) {
    const step = startSasl(mechanism);
    assertThrows(() => Object.assign(step, { challenge: "?" }), TypeError);
  }
});

const CONTROLS = /\p{Cc}/u;

/** Fails unless a step is one that the decoder may return, whole. */
function assertSound(step: SaslStep, input: string): void {
  switch (step.kind) {
    case "challenge": {
      const known = ALL_CHALLENGES.find((c) => c.progress === step.progress);
      assert(known !== undefined, input);
      assertEquals(step.mechanism, known.mechanism);
      assertEquals(step.challenge, known.challenge);
      assertEquals("username" in step, step.progress === "apLoginPass", input);
      if (step.username !== undefined) assertName(step.username, input);
      return;
    }
    case "credentials":
      assert(NAMES.includes(step.mechanism), input);
      assertName(step.username, input);
      assert(step.password !== "" && !step.password.includes("\0"), input);
      return;
    case "error":
      assert(Object.values(SASL_ERRORS).includes(step), input);
      return;
    default:
      step satisfies never;
  }
}

function assertName(username: string, input: string): void {
  assert(username !== "" && !CONTROLS.test(username), input);
}

/** Octets that matter to a mechanism, mixed with a few that do not. */
const MESSAGE_OCTETS = [
  0,
  0,
  0,
  0x61,
  0x61,
  0x62,
  0x2a,
  0x0a,
  0x7f,
  0xc2,
  0x85,
  0xc3,
  0xa9,
  0xff,
] as const;
const RESPONSE_PARTS = [
  "AGFu",
  "AGEAYQ==",
  "YW5u",
  "YQ",
  "=",
  "==",
  "*",
  "A",
  "/",
  "+",
  "-",
  " ",
  "\r",
  "\n",
  "\0",
  "\u00e9",
  "\ud800",
] as const;
const MECHANISM_PARTS = [
  "PLAIN",
  "plain",
  "LOGIN",
  "Login",
  "",
  "X",
  "__proto__",
  "pla\u0131n",
  " ",
] as const;

/** Base64 of octets that are folded into the mechanisms' own alphabet, or scraps. */
function anyResponse(random: (below: number) => number): string {
  if (random(4) > 0) {
    return base64(
      Array.from({ length: random(12) }, () => pick(random, MESSAGE_OCTETS)),
    );
  }
  return Array.from({ length: random(4) }, () => pick(random, RESPONSE_PARTS))
    .join("");
}

Deno.test("startSasl() and continueSasl() never throw and never go on for ever", () => {
  const random = newRandom(20260);
  const seen = new Set<string>();
  let steps = 0;
  while (steps < 40_000) {
    const inputs: string[] = [pick(random, MECHANISM_PARTS)];
    let step = startSasl(
      inputs.join(),
      random(2) > 0 ? anyResponse(random) : "",
    );
    for (let turns = 0;; turns++) {
      steps++;
      seen.add(step.kind === "error" ? step.reason : step.kind);
      assertSound(step, JSON.stringify(inputs));
      if (step.kind !== "challenge") break;
      assert(turns < 2, `${JSON.stringify(inputs)}: too many challenges`);
      const response = anyResponse(random);
      inputs.push(response);
      step = continueSasl(step, response);
    }
  }
  // If one of these is missing, the alphabet no longer reaches it.
  assertEquals([...seen].sort(), [
    "authzid-differs",
    "bad-base64",
    "bad-message",
    "bad-syntax",
    "bad-utf8",
    "cancelled",
    "challenge",
    "credentials",
    "unknown-mechanism",
  ]);
});
