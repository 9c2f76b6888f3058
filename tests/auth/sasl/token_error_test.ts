import {
  continueSasl,
  finishSasl,
  startSasl,
} from "../../../auth/sasl/sasl.ts";
import type {
  SaslChallenge,
  SaslCredentials,
} from "../../../auth/sasl/steps.ts";
import type { AuthResult, TokenError } from "../../../auth/types.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import {
  assertRefused,
  BAD_MESSAGE,
  CANCELLED,
  OUT_OF_SEQUENCE,
} from "../../support/sasl_steps.ts";

const TOKEN = "eyJhbGciOiJFUzI1NiJ9.c2VjcmV0";
const MESSAGES = {
  XOAUTH2: `user=ann\x01auth=Bearer ${TOKEN}\x01\x01`,
  OAUTHBEARER: `n,a=ann,\x01auth=Bearer ${TOKEN}\x01\x01`,
} as const;
const NAMES = ["XOAUTH2", "OAUTHBEARER"] as const;
const CONFIGURATION = "https://sso.example/.well-known/openid-configuration";

function credentials(mechanism: typeof NAMES[number]): SaslCredentials {
  const step = startSasl(mechanism, base64(MESSAGES[mechanism]));
  assert(step.kind === "credentials");
  return step;
}

/** The challenge before a refusal. */
function explained(
  mechanism: typeof NAMES[number],
  answer: AuthResult | "authInvalid",
): SaslChallenge {
  const step = finishSasl(credentials(mechanism), answer);
  assert(step.kind === "challenge");
  return step;
}

Deno.test("finishSasl() says why a token is refused, in each mechanism's own form", () => {
  const rows: readonly (readonly [TokenError | undefined, string, string])[] = [
    [
      undefined,
      '{"status":"401","schemes":"bearer"}',
      '{"status":"invalid_token"}',
    ],
    [
      { status: "insufficient_scope", scope: "mail" },
      '{"status":"401","schemes":"bearer","scope":"mail"}',
      '{"status":"insufficient_scope","scope":"mail"}',
    ],
    [
      { status: "invalid_token", openidConfiguration: CONFIGURATION },
      '{"status":"401","schemes":"bearer"}',
      `{"status":"invalid_token","openid-configuration":"${CONFIGURATION}"}`,
    ],
  ];
  for (const [tokenError, xoauth2, oauthbearer] of rows) {
    const answer: AuthResult = {
      decision: "authInvalid",
      ...(tokenError === undefined ? {} : { tokenError }),
    };
    assertEquals(atob(explained("XOAUTH2", answer).challenge), xoauth2);
    assertEquals(atob(explained("OAUTHBEARER", answer).challenge), oauthbearer);
  }
  assertEquals(
    explained("XOAUTH2", "authInvalid"),
    explained("XOAUTH2", { decision: "authInvalid" }),
  );
});

Deno.test("finishSasl() says a long explanation whole", () => {
  const tokenError = {
    status: "s".repeat(64),
    scope: "x".repeat(512),
    openidConfiguration: "https://" + "y".repeat(504),
  };
  const { challenge } = explained("OAUTHBEARER", {
    decision: "authInvalid",
    tokenError,
  });
  assertEquals(JSON.parse(atob(challenge)), {
    status: tokenError.status,
    scope: tokenError.scope,
    "openid-configuration": tokenError.openidConfiguration,
  });
});

Deno.test("finishSasl() replies at once where a token is good, or nobody could tell", () => {
  for (const name of NAMES) {
    for (
      const [decision, code] of [["authOk", 235], ["authFailure", 454]] as const
    ) {
      const tokenError = { status: "invalid_token" };
      for (const answer of [decision, { decision, tokenError }] as const) {
        const step = finishSasl(credentials(name), answer);
        assert(step.kind === "done");
        assertEquals(step.reply.code, code);
      }
    }
  }
});

Deno.test("continueSasl() refuses whatever follows the explanation, but an asterisk", () => {
  for (const name of NAMES) {
    const answer = { decision: "authInvalid", text: "Not for mail" } as const;
    const challenge = explained(name, answer);
    assertEquals(challenge.progress, "apTokenError");
    assertEquals([challenge.mechanism, challenge.username], [name, "ann"]);
    const again = base64(MESSAGES[name]);
    for (const line of ["", "AQ==", "=", "?", again, "A".repeat(13_000)]) {
      assertEquals(continueSasl(challenge, line), {
        kind: "error",
        code: 535,
        enhanced: "5.7.8",
        text: "Not for mail",
        reason: "wrong-credentials",
      });
    }
    assertRefused(continueSasl(challenge, "*"), CANCELLED, "*");
  }
});

Deno.test("XOAUTH2 and OAUTHBEARER take no message out of turn", () => {
  for (const name of NAMES) {
    const { refusal: _, ...forged } = explained(name, "authInvalid");
    const message = base64(MESSAGES[name]);
    assertRefused(continueSasl(forged, message), OUT_OF_SEQUENCE, name);
  }
});

Deno.test("no step but the credentials has a token in its text", () => {
  for (const name of NAMES) {
    const broken = base64(MESSAGES[name].slice(0, -1));
    const error = startSasl(name, broken);
    assertRefused(error, BAD_MESSAGE, name);
    const challenge = explained(name, "authInvalid");
    const steps = [error, challenge, continueSasl(challenge, broken)];
    for (const step of steps) {
      for (const text of [JSON.stringify(step), Deno.inspect(step)]) {
        assert(!text.includes(TOKEN) && !text.includes("c2Vjcm"), text);
        assert(!text.includes(base64(TOKEN).slice(4, -4)), text);
      }
    }
  }
});
