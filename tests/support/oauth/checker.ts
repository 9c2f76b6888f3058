/**
 * A provider that takes the tokens of the tests' issuer, at a time that stands
 * still until a test moves it on.
 *
 * @module
 */

import { newOAuthProvider, type OAuthProviderOptions } from "../../../oauth.ts";
import type { AuthResult } from "../../../auth/types.ts";
import { newRequest } from "../auth_request.ts";
import { TestIssuer } from "../../../testing/issuer.ts";

/** An issuer, who takes its tokens, and their time. */
export interface Checker {
  readonly issuer: TestIssuer;
  /** Asks about a token. */
  readonly ask: (
    token: string,
    username?: string,
    signal?: AbortSignal,
  ) => Promise<AuthResult>;
  /** Moves the time on, in seconds. */
  readonly wind: (seconds: number) => void;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** Makes one. */
export function newChecker(
  options: Partial<OAuthProviderOptions> = {},
): Checker {
  let time = Date.UTC(2026, 0, 1);
  const now = () => time;
  const issuer = new TestIssuer({ now });
  const provider = newOAuthProvider({
    issuer: issuer.url,
    audience: "smtp",
    claim: "email",
    fetch: issuer.fetch,
    now,
    ...options,
  });
  return {
    issuer,
    ask: (password, username = "", signal) => {
      const mechanism = "OAUTHBEARER";
      return provider(newRequest({ username, password, mechanism }), signal);
    },
    wind: (seconds) => time += seconds * 1000,
    now: () => time / 1000,
  };
}

/** The two members of a result that tell most: `authInvalid token-key`. */
export function outcome({ decision, reason }: AuthResult): string {
  return reason === undefined ? decision : `${decision} ${reason}`;
}
