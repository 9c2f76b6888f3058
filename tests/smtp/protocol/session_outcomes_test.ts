import type { AuthOutcome } from "../../../smtp/protocol/actions.ts";
import * as endings from "../../../smtp/protocol/endings.ts";
import type { Session } from "../../../smtp/protocol/session.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import { latin1 } from "../../support/session.ts";
import {
  CERTIFICATE,
  clientAfter,
  EHLO,
  LOGIN,
  MAIL,
  OPEN,
  sessionIn,
  STATE_NAMES,
  WRONG,
} from "../../support/session_states.ts";

Deno.test("Session tells the outcome of each AUTH, once", () => {
  const ann = { mechanism: "PLAIN", username: "ann" };
  const rows: readonly (readonly [string, AuthOutcome])[] = [
    [LOGIN, { code: 235, reason: "ok", ...ann }],
    [WRONG, { code: 535, reason: "wrong-credentials", ...ann }],
    ["AUTH PLAIN AGRvd24AeA==\r\n", {
      code: 454,
      reason: "provider-failure",
      mechanism: "PLAIN",
      username: "down",
    }],
    ["auth login\r\nYW5u\r\nc2VjcmV0\r\n", {
      code: 235,
      reason: "ok",
      mechanism: "LOGIN",
      username: "ann",
    }],
    ["AUTH PLAIN\r\n*\r\n", {
      code: 501,
      reason: "cancelled",
      mechanism: "PLAIN",
    }],
    ["AUTH LOGIN\r\n*\r\n", {
      code: 501,
      reason: "cancelled",
      mechanism: "LOGIN",
    }],
    ["AUTH LOGIN YW5u\r\n*\r\n", {
      code: 501,
      reason: "cancelled",
      mechanism: "LOGIN",
      username: "ann",
    }],
    ["AUTH plain %\r\n", {
      code: 501,
      reason: "bad-base64",
      mechanism: "PLAIN",
    }],
    ["AUTH LOGIN YW5u\r\n%\r\n", {
      code: 501,
      reason: "bad-base64",
      mechanism: "LOGIN",
      username: "ann",
    }],
    ["AUTH PLAIN c2VjcmV0\r\n", {
      code: 501,
      reason: "bad-message",
      mechanism: "PLAIN",
    }],
    [`AUTH PLAIN ${base64([0, 0xe4, 0, 120])}\r\n`, {
      code: 535,
      reason: "bad-utf8",
      mechanism: "PLAIN",
    }],
    [`AUTH PLAIN ${base64("bob\0ann\0secret")}\r\n`, {
      code: 535,
      reason: "authzid-differs",
      mechanism: "PLAIN",
    }],
    [`AUTH LOGIN YW5u\r\n${"A".repeat(12_289)}\r\n`, {
      code: 500,
      reason: "line-too-long",
      mechanism: "LOGIN",
      username: "ann",
    }],
    [`AUTH PLAIN ${"A".repeat(12_289)}\r\n`, {
      code: 500,
      reason: "line-too-long",
      mechanism: "",
    }],
    ["AUTH NTLM\r\n", {
      code: 504,
      reason: "unknown-mechanism",
      mechanism: "",
    }],
    ["AUTH\r\n", { code: 501, reason: "bad-syntax", mechanism: "" }],
    ["AUTH AGFubgBzZWNyZXQ= x y\r\n", {
      code: 501,
      reason: "bad-syntax",
      mechanism: "",
    }],
  ];
  for (const [said, outcome] of rows) {
    for (const pieceSize of [Infinity, 1]) {
      const client = clientAfter(EHLO);
      client.send(said, pieceSize);
      assertEquals(client.outcomes(), [outcome], said.slice(0, 80));
    }
  }
});

Deno.test("Session tells the outcome of an AUTH out of its place", () => {
  const rows = [
    ["", {}, 503, "bad-sequence"],
    [EHLO + LOGIN, {}, 503, "bad-sequence"],
    [EHLO + MAIL, OPEN, 503, "bad-sequence"],
    [EHLO, CERTIFICATE, 538, "tls-required"],
  ] as const;
  for (const [said, options, code, reason] of rows) {
    const client = clientAfter(said, options);
    client.send(LOGIN);
    const outcomes = client.outcomes().map((o) => [o.code, o.reason]);
    assertEquals(outcomes, [[code, reason]]);
    assertEquals(client.outcomes()[0]?.username, undefined);
  }
});

Deno.test("Session tells the outcome before the commands behind it go on", () => {
  const client = clientAfter(EHLO);
  client.send(`${WRONG}${LOGIN}${MAIL}DATA\r\n.\r\n`);
  assertEquals(client.actions.map(({ kind }) => kind), [
    "authenticate",
    "authEnded",
    "authenticate",
    "authEnded",
    "message",
    "endOfMessage",
  ]);
});

Deno.test("Session tells a result's reason and its detail", () => {
  for (const reason of ["backend-timeout", "client-gone"] as const) {
    const session = sessionIn("commands");
    session.receive(latin1(`${EHLO}${LOGIN}`));
    const asked = session.next();
    assert(asked.kind === "authenticate");
    const detail = "as the provider says";
    session.decided({ decision: "authFailure", reason, detail });
    const mechanism = "PLAIN";
    assertEquals(session.next(), {
      kind: "authEnded",
      outcome: { code: 454, reason, detail, mechanism, username: "ann" },
    });
  }
});

Deno.test("Session tells no password and no response in an outcome", () => {
  const secret = "s3cret-pa55word";
  const message = base64(`\0ann\0${secret}`);
  const encoded = base64(secret);
  const conversations = [
    `AUTH PLAIN ${message}\r\n`,
    `AUTH PLAIN\r\n${message}\r\n`,
    `AUTH LOGIN YW5u\r\n${encoded}\r\n`,
    // A password in the place of the user name, or of the mechanism
    `AUTH LOGIN YW5u\r\n${encoded}!\r\n`,
    `AUTH LOGIN ${encoded}!\r\n`,
    `AUTH ${message}\r\n`,
    `AUTH ${encoded} ${message}\r\n`,
    `AUTH ${secret}\r\n`,
    `AUTH PLAIN ${message} ${secret}\r\n`,
    `AUTH PLAIN ${message}!\r\n`,
    `AUTH PLAIN ${base64(secret)}\r\n`,
    `AUTH PLAIN ${base64(`bob\0ann\0${secret}`)}\r\n`,
  ];
  for (const said of conversations) {
    const client = clientAfter(EHLO);
    const output = client.send(said);
    assertEquals(client.outcomes().length, 1, said);
    const told = (JSON.stringify(client.outcomes()) + output).toUpperCase();
    for (const part of [secret, encoded, message]) {
      assert(!told.includes(part.toUpperCase()), said);
    }
  }
});

Deno.test("Session tells no mechanism in an outcome but those that it knows", () => {
  const words = ["NTLM", "PLAINX", "XPLAIN", "AGFubgBzZWNyZXQ=", "c2VjcmV0"];
  for (const word of words) {
    const client = clientAfter(EHLO);
    client.send(`AUTH ${word}\r\n`);
    assertEquals(client.outcomes(), [
      { code: 504, reason: "unknown-mechanism", mechanism: "" },
    ], word);
  }
});

Deno.test("Session tells no mechanism that only toUpperCase() makes a known one", () => {
  for (const word of ["pla\u0131n", "log\u0131n"]) {
    const client = clientAfter(EHLO);
    client.send(new TextEncoder().encode(`AUTH ${word}\r\n`));
    assertEquals(client.outcomes(), [
      { code: 504, reason: "unknown-mechanism", mechanism: "" },
    ], word);
  }
});

Deno.test("Session.abandoned() is the outcome of an exchange that is under way", () => {
  const rows = [
    ["AUTH PLAIN\r\n", { reason: "client-gone", mechanism: "PLAIN" }],
    ["AUTH LOGIN\r\n", { reason: "client-gone", mechanism: "LOGIN" }],
    ["AUTH LOGIN YW5u\r\nc2Vj", {
      reason: "client-gone",
      mechanism: "LOGIN",
      username: "ann",
    }],
  ] as const;
  for (const [said, outcome] of rows) {
    const { session } = clientAfter(EHLO + said);
    assertEquals(session.abandoned(), outcome, said);
    assertEquals(session.abandoned(), undefined, said);
    assertEquals(session.next().kind, "close");
  }
});

Deno.test("Session.abandoned() is undefined where no exchange is under way", () => {
  for (const state of STATE_NAMES) {
    if (state === "sasl") continue;
    assertEquals(sessionIn(state).abandoned(), undefined, state);
  }
  for (const said of [LOGIN, WRONG, "AUTH PLAIN\r\n*\r\n", "AUTH LOGIN"]) {
    assertEquals(clientAfter(EHLO + said).session.abandoned(), undefined, said);
  }
});

/** How AUTH ended: by an action, or as what the client has left. */
function allOutcomes(session: Session): AuthOutcome[] {
  const outcomes: AuthOutcome[] = [];
  for (;;) {
    const action = session.next();
    if (action.kind === "authEnded") outcomes.push(action.outcome);
    if (action.kind === "close") break;
  }
  const left = session.abandoned();
  return left === undefined ? outcomes : [...outcomes, left];
}

Deno.test("Session tells an outcome of the AUTH that stop() ends", () => {
  const session = sessionIn("sasl");
  session.next();
  session.stop();
  const outcomes = allOutcomes(session);
  assertEquals(outcomes.map((o) => [o.mechanism, o.username]), [
    ["LOGIN", "ann"],
  ]);
});

Deno.test("Session tells an outcome of the AUTH that end() ends", () => {
  const session = sessionIn("sasl");
  session.next();
  session.end(endings.idle);
  const outcomes = allOutcomes(session);
  assertEquals(outcomes.map((o) => [o.mechanism, o.username]), [
    ["LOGIN", "ann"],
  ]);
});
