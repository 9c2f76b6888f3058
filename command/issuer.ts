/**
 * The issuer whose tokens let users in.
 *
 * @module
 */

import type { Issuer } from "../auth/providers/oauth/issuer.ts";
import {
  checkedOptions,
  type OAuthProviderOptions,
} from "../auth/providers/oauth/options.ts";
import type { ReadyProvider } from "../auth/types.ts";
import { type Goods, watchWay } from "./endpoint.ts";
import type { LogEntry } from "./log.ts";
import { OAUTH_ISSUER, OAUTH_PROVIDER } from "./optional.ts";
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

/** What goes there, in the words of a warning. */
const TOKENS: Goods = {
  flag: "--oauth-issuer",
  cross: "tokens cross",
  go: "questions about tokens go",
};

/**
 * Makes who checks tokens; absent where the settings have no issuer. The issuer
 * need not be there yet.
 *
 * @param settings What the command is to do.
 * @param current The settings as they are now: who we are to the issuer.
 * @param log Is told what may be wrong with the way there.
 */
export async function openIssuer(
  settings: Settings,
  current: () => Settings,
  log: (entry: LogEntry) => void,
): Promise<ReadyProvider | undefined> {
  const options = oauthOptions(settings, current);
  if (options === undefined) return undefined;
  watchWay(new URL(options.issuer), TOKENS, log);
  const { newOAuthProvider }:
    typeof import("../auth/providers/oauth/provider.ts") = await import(
      OAUTH_PROVIDER
    );
  return newOAuthProvider(options);
}

/** The issuer itself, to try it. */
export async function newIssuer(
  options: OAuthProviderOptions,
): Promise<Issuer> {
  const { Issuer }: typeof import("../auth/providers/oauth/issuer.ts") =
    await import(OAUTH_ISSUER);
  return new Issuer(checkedOptions(options));
}

/** The settings as a provider has them. */
export function oauthOptions(
  settings: Settings,
  current: () => Settings = () => settings,
): OAuthProviderOptions | undefined {
  const { oauthIssuer: issuer, oauthAudience, oauthClaim } = settings;
  if (issuer === undefined) return undefined;
  const { oauthScope: scope, oauthIntrospection: introspection } = settings;
  return {
    issuer,
    audience: oauthAudience ?? "",
    claim: oauthClaim ?? "",
    ...present({ scope, introspection }),
    ...(settings.oauthClientId === undefined ? {} : {
      clientId: () => current().oauthClientId ?? "",
      clientSecret: () => current().oauthClientSecret ?? "",
    }),
  };
}
