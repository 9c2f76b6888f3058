/**
 * What clients say to log in with a token, and flags that take it.
 *
 * @module
 */

import type { TestIssuer } from "../../../testing/issuer.ts";

/** The flags that take an issuer's tokens. */
export function flagsFor(issuer: TestIssuer): readonly string[] {
  return [
    ...["--oauth-issuer", issuer.url],
    ...["--oauth-audience", "smtp", "--oauth-claim", "email"],
  ];
}

/** The message of XOAUTH2 in base64. */
export function xoauth2(token: string, username = "ann@example.com"): string {
  return btoa(`user=${username}\x01auth=Bearer ${token}\x01\x01`);
}

/** The message of OAUTHBEARER in base64; without a name unless one is given. */
export function oauthbearer(token: string, username?: string): string {
  const authzid = username === undefined ? "" : `a=${username}`;
  return btoa(`n,${authzid},\x01auth=Bearer ${token}\x01\x01`);
}
