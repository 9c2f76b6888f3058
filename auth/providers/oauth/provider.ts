/**
 * A provider that checks the tokens of an issuer.
 *
 * @module
 */

import { askProvider } from "../../ask_provider.ts";
import type {
  AuthRequest,
  AuthResult,
  ReadyProvider,
  TokenError,
} from "../../types.ts";
import { type BadToken, judge } from "./claims.ts";
import { openidConfiguration } from "./discovery.ts";
import { Issuer } from "./issuer.ts";
import {
  checkedOptions,
  type OAuthProviderOptions,
  type OAuthSettings,
} from "./options.ts";

/**
 * Makes a provider that checks the access tokens of one issuer, which clients
 * bring with XOAUTH2 or OAUTHBEARER (RFC 7628).
 *
 * A JWT is checked here: its signature (RS, PS, ES or EdDSA) with the key of its
 * `kid`, which the issuer publishes; `iss`, `aud`, `exp`, `nbf`, and `scope` or
 * `scp`. ID tokens are refused, and tokens that are bound to a key (`cnf`).
 * About any other token the issuer is asked (RFC 7662), and with
 * `introspection` about all of them.
 *
 * The user is whom the claim names; the client must call itself by the same
 * name, or by none. `email` counts unless `email_verified` is false. A token
 * that is no person's and has no such claim is its client's: `client_id`, or
 * `azp`, is the user.
 *
 * What a token lacks is `authInvalid`, with a `tokenError` for the client. An
 * issuer that is out of reach, slow, talks nonsense or refuses our own
 * `clientSecret` is `authFailure`, and no token's fault. The provider can be
 * made while the issuer is down. Keys are fetched when a token needs them, kept
 * while they cannot be fetched again, and asked for anew at most every 300 s,
 * whatever tokens come.
 *
 * A yes has the `exp` of its token as `expiresAt`: no cache keeps it longer.
 *
 * @param options Whose tokens, and which.
 * @returns A provider that never throws and shows no token to anyone but the
 * issuer.
 * @throws {TypeError} If an option is missing, unknown, or not what it should be.
 *
 * @example People by password, programs by token
 * ```ts
 * import { byMechanism, newStaticAuthProvider } from "@meowmail/smtpauth";
 * import { newOAuthProvider } from "@meowmail/smtpauth/oauth";
 *
 * const tokens = newOAuthProvider({
 *   issuer: "https://sso.example/realms/staff",
 *   audience: "smtp",
 *   claim: "email",
 *   fetch: () => Promise.reject(new TypeError("connection refused")), // for the example
 * });
 * const passwords = newStaticAuthProvider({ ann: "correct horse" });
 * const provider = byMechanism(
 *   { XOAUTH2: tokens, OAUTHBEARER: tokens },
 *   passwords,
 * );
 * const { decision } = await provider({
 *   username: "ann@example.com",
 *   password: "eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl",
 *   mechanism: "XOAUTH2",
 *   remoteIp: "192.0.2.7",
 *   heloName: "laptop",
 * });
 * console.assert(decision === "authFailure"); // nobody can tell
 * ```
 * @category Tokens
 */
export function newOAuthProvider(options: OAuthProviderOptions): ReadyProvider {
  const settings = checkedOptions(options);
  const issuer = new Issuer(settings);
  const ask = (request: AuthRequest, signal?: AbortSignal) =>
    decide(issuer, settings, request, signal);
  return (request, signal) => askProvider(ask, request, signal);
}

async function decide(
  issuer: Issuer,
  settings: OAuthSettings,
  { username, password: token }: AuthRequest,
  signal: AbortSignal | undefined,
): Promise<AuthResult> {
  const known = await issuer.claimsOf(token, signal);
  switch (known.kind) {
    case "signed":
    case "introspected": {
      const { claims } = known;
      const introspected = known.kind === "introspected";
      const now = settings.now() / 1000;
      const facts = { claims, introspected, username, now };
      const verdict = judge(facts, settings.rules);
      if (verdict.kind === "bad") return refused(verdict, settings);
      const { kind: _, ...rights } = verdict;
      return { decision: "authOk", ...rights };
    }
    case "bad":
      return refused(known, settings);
    case "outage": {
      const { reason, detail } = known;
      return { decision: "authFailure", reason, detail };
    }
    default:
      return known satisfies never;
  }
}

function refused(
  { reason, detail }: BadToken,
  { rules: { issuer, scope } }: OAuthSettings,
): AuthResult {
  const tokenError: TokenError = {
    status: reason === "token-scope" ? "insufficient_scope" : "invalid_token",
    openidConfiguration: openidConfiguration(issuer),
    ...(scope === undefined ? {} : { scope }),
  };
  return {
    decision: "authInvalid",
    reason,
    tokenError,
    ...(detail === undefined ? {} : { detail }),
  };
}
