/**
 * Flags: whose tokens let users in.
 *
 * @module
 */

import { credential, introspection, issuer, oneScope } from "../values.ts";
import type { Rows } from "./flag.ts";

/** What they set. */
export interface OAuthSettings {
  readonly oauthIssuer: string | undefined;
  readonly oauthAudience: string | undefined;
  readonly oauthClaim: string | undefined;
  readonly oauthScope: string | undefined;
  /** Where the issuer is asked about every token; `true`: where it says. */
  readonly oauthIntrospection: string | true | undefined;
  readonly oauthClientId: string | undefined;
  readonly oauthClientSecret: string | undefined;
}

/** Their rows, in the order of the help. */
export const OAUTH_FLAGS: Rows<OAuthSettings> = {
  oauthIssuer: {
    placeholder: "URL",
    help: "who signs them, as in their iss",
    read: issuer,
    byDefault: undefined,
  },
  oauthAudience: {
    placeholder: "NAME",
    help: "whom they must be for: in their aud",
    read: credential,
    byDefault: undefined,
  },
  oauthClaim: {
    placeholder: "NAME",
    help: "what in them names the user, such as email",
    read: credential,
    byDefault: undefined,
  },
  oauthScope: {
    placeholder: "NAME",
    help: "a scope that they must have",
    read: oneScope,
    byDefault: undefined,
  },
  oauthIntrospection: {
    placeholder: "[URL]",
    help: "ask the issuer about each, not only what is no JWT",
    read: introspection,
    byDefault: undefined,
    bare: "on",
  },
  oauthClientId: {
    secret: true,
    help: "who we are to the issuer when we ask",
    read: credential,
    byDefault: undefined,
  },
  oauthClientSecret: {
    secret: true,
    help: "the secret that goes with it",
    read: credential,
    byDefault: undefined,
  },
};
