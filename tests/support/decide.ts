/**
 * The provider of the transcripts (tests/transcripts/README.md). It stands
 * alone, so that other runtimes load it without the rest.
 *
 * @module
 */

import type { AuthRequest, AuthResult } from "../../auth/types.ts";

/** What the provider of the transcripts says (tests/transcripts/README.md). */
export function decide({ username, password }: AuthRequest): AuthResult {
  switch (username) {
    case "":
      if (password === "secret") return { decision: "authOk", user: "ann" };
      break;
    case "scoped":
      return { decision: "authInvalid", text: "Not for mail", tokenError };
    case "down":
      return { decision: "authFailure" };
    case "guessed":
      return { decision: "authFailure", reason: "throttled-user" };
    case "closed":
      return { decision: "authInvalid", text: "Account closed, call 555" };
    case "bob":
      if (password === "secret") return BOB;
  }
  const right = username === "ann" && password === "secret";
  return { decision: right ? "authOk" : "authInvalid" };
}

const tokenError = {
  status: "insufficient_scope",
  scope: "mail",
  openidConfiguration: "https://sso.example/.well-known/openid-configuration",
};

/** A user who has a name of his own at the back end, and may not be anybody. */
const BOB: AuthResult = {
  decision: "authOk",
  user: "bob@example.org",
  senders: ["bob@example.org", "@team.example", "@bücher.example"],
  context: { tenant: 7 },
};
