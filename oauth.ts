/**
 * Tokens in place of passwords: a provider that checks the access tokens of any
 * OAuth or OpenID Connect issuer, for XOAUTH2 and OAUTHBEARER (RFC 7628).
 *
 * It stands apart from the entry point `.`, because it loads `jose`.
 *
 * @example Tokens of Keycloak
 * ```ts
 * import { newOAuthProvider } from "@meowmail/smtpauth/oauth";
 *
 * const provider = newOAuthProvider({
 *   issuer: "https://sso.example/realms/staff", // as it stands in `iss`
 *   audience: "smtp", // what must stand in `aud`
 *   claim: "email", // which claim names the user
 * });
 * console.assert(typeof provider === "function");
 * ```
 *
 * @module
 */

export { newOAuthProvider } from "./auth/providers/oauth/provider.ts";
export type { OAuthProviderOptions } from "./auth/providers/oauth/options.ts";
export type {
  AuthRequest,
  AuthResult,
  ReadyProvider,
  TokenError,
} from "./auth/types.ts";
