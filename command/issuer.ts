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
import { present } from "./present.ts";
import type { Settings } from "./settings.ts";

// Not named in the imports themselves: Deno fetches what it finds there even if
// it is never run, and who takes no tokens need not have jose.
const PROVIDER: string = "../auth/providers/oauth/provider.ts";
const ISSUER: string = "../auth/providers/oauth/issuer.ts";

/**
 * What Deno must be permitted to read for these; absent where they come from the
 * net.
 */
export function programFolder(): string | undefined {
  const url = new URL("..", import.meta.url);
  return url.protocol === "file:"
    ? decodeURIComponent(url.pathname)
    : undefined;
}

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
      PROVIDER
    );
  return newOAuthProvider(options);
}

/** The issuer itself, to try it. */
export async function newIssuer(
  options: OAuthProviderOptions,
): Promise<Issuer> {
  const { Issuer }: typeof import("../auth/providers/oauth/issuer.ts") =
    await import(ISSUER);
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
