import { DEFAULT_OFFER } from "../../../auth/sasl/offer.ts";
import { decisionReply } from "../../../auth/replies.ts";
import {
  continueSasl,
  finishSasl,
  startSasl,
} from "../../../auth/sasl/sasl.ts";
import type {
  SaslChallenge,
  SaslCredentials,
} from "../../../auth/sasl/steps.ts";
import type { AuthResult } from "../../../auth/types.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { assertRefused, CANCELLED } from "../../support/sasl_steps.ts";
import {
  TOKEN,
  token,
  WHY,
  WHY_NOT_NOW,
} from "../../support/token_mechanism.ts";

const OFFER = { mechanisms: [...DEFAULT_OFFER, TOKEN] };

const RESULTS: readonly AuthResult[] = [
  { decision: "authOk", user: "ann" },
  { decision: "authInvalid" },
  { decision: "authInvalid", text: "Account closed" },
  { decision: "authFailure", reason: "backend-timeout" },
];

function credentials(mechanism: string, username = "ann"): SaslCredentials {
  return { kind: "credentials", mechanism, username, password: "secret" };
}

/** The challenge before a refusal. */
function explained(username: string, answer: AuthResult): SaslChallenge {
  const step = finishSasl(credentials("X-TOKEN", username), answer, OFFER);
  assert(step.kind === "challenge");
  return step;
}

Deno.test("finishSasl() is the reply at once for PLAIN and LOGIN", () => {
  for (const mechanism of ["PLAIN", "LOGIN"]) {
    for (const result of RESULTS) {
      assertEquals(finishSasl(credentials(mechanism), result), {
        kind: "done",
        reply: decisionReply(result),
      });
    }
    for (const decision of ["authOk", "authInvalid", "authFailure"] as const) {
      assertEquals(finishSasl(credentials(mechanism), decision), {
        kind: "done",
        reply: decisionReply(decision),
      });
    }
  }
});

Deno.test("finishSasl() lets a mechanism say why before it refuses", () => {
  assertEquals(explained("ann", { decision: "authInvalid", text: "Closed" }), {
    kind: "challenge",
    mechanism: "X-TOKEN",
    progress: "apTokenError",
    challenge: WHY,
    username: "ann",
    refusal: {
      kind: "error",
      code: 535,
      enhanced: "5.7.8",
      text: "Closed",
      reason: "wrong-credentials",
    },
  });
  const later = explained("told", {
    decision: "authFailure",
    reason: "backend-status",
  });
  assertEquals(later.challenge, WHY_NOT_NOW);
  assertEquals([later.refusal?.code, later.refusal?.reason], [
    454,
    "backend-status",
  ]);
});

Deno.test("finishSasl() says nothing more where a mechanism has nothing to say", () => {
  for (const answer of ["authOk", "authFailure"] as const) {
    const step = finishSasl(credentials("X-TOKEN"), answer, OFFER);
    assertEquals(step, { kind: "done", reply: decisionReply(answer) });
  }
  // Of a mechanism that nobody offers nothing is known.
  assertEquals(finishSasl(credentials("X-TOKEN"), "authInvalid"), {
    kind: "done",
    reply: decisionReply("authInvalid"),
  });
});

Deno.test("finishSasl() takes what is no answer for a failure", () => {
  const nonsense = JSON.parse('{"decision":"authOk","senders":"ann"}');
  const step = finishSasl(credentials("PLAIN"), nonsense);
  assert(step.kind === "done");
  assertEquals(step.reply.code, 454);
});

Deno.test("continueSasl() refuses whatever a client answers that was told why", () => {
  const challenge = explained("ann", { decision: "authInvalid" });
  const lines = ["", "AQ==", "=", "not base64", "\ufffd", "A".repeat(13_000)];
  for (const line of lines) {
    for (const options of [OFFER, {}]) {
      assertEquals(continueSasl(challenge, line, options), challenge.refusal);
    }
  }
  assertRefused(continueSasl(challenge, "*", OFFER), CANCELLED, "*");
});

Deno.test("a challenge with its refusal is plain data, without the password", () => {
  const challenge = explained("ann", { decision: "authInvalid" });
  const text = JSON.stringify(challenge);
  assert(!text.includes("secret"));
  assertEquals(
    continueSasl(JSON.parse(text), "", OFFER),
    continueSasl(challenge, "", OFFER),
  );
});

Deno.test("an offer has names or values, in each step", () => {
  const options = { mechanisms: ["XOAUTH2", TOKEN, "LOGIN"] } as const;
  assertEquals(startSasl("PLAIN", "", options).kind, "error");
  assertEquals(startSasl("x-token", "", options).kind, "challenge");
  const first = startSasl("login", "", options);
  assert(first.kind === "challenge");
  const second = continueSasl(first, btoa("ann"), options);
  assert(second.kind === "challenge");
  assertEquals(continueSasl(second, btoa("secret"), options), {
    kind: "credentials",
    mechanism: "LOGIN",
    username: "ann",
    password: "secret",
  });
  const token = btoa("user=ann\x01auth=Bearer bad\x01\x01");
  const step = startSasl("XOAUTH2", token, options);
  assert(step.kind === "credentials");
  assertEquals(finishSasl(step, "authInvalid", options).kind, "challenge");
});

Deno.test("startSasl() takes the mechanisms on offer, and no others", () => {
  const response = token("ann", "secret");
  assertEquals(startSasl("x-token", response, OFFER), credentials("X-TOKEN"));
  assertEquals(startSasl("X-TOKEN", undefined, OFFER), TOKEN.first);
  const first = startSasl("X-TOKEN", "", OFFER);
  assert(first.kind === "challenge");
  assertEquals(continueSasl(first, response, OFFER), credentials("X-TOKEN"));
  for (
    const [name, mechanisms] of [
      ["X-TOKEN", DEFAULT_OFFER],
      ["PLAIN", [TOKEN]],
      ["LOGIN", []],
    ] as const
  ) {
    const step = startSasl(name, response, { mechanisms });
    assertEquals(step.kind === "error" && step.code, 504, name);
  }
});
