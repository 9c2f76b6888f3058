/**
 * What `--check` finds out about the issuer of tokens: whether it is the one
 * that it should be, has keys, and knows us. Nobody logs in.
 *
 * @module
 */

import type { Outage } from "../auth/providers/oauth/issuer_http.ts";
import type { ProviderReason } from "../auth/reasons.ts";
import type { Finding } from "./check.ts";
import { newIssuer, oauthOptions } from "./issuer.ts";
import type { Settings } from "./settings.ts";

/** What to do about it. */
const ADVICE: Readonly<Partial<Record<ProviderReason, string>>> = {
  "backend-timeout": "is something in the way?",
  "backend-unreachable": "is it spelt right, and there for this machine?",
  "backend-status": "is this the issuer, as it stands in the tokens' iss?",
  "backend-redirect": "is this the issuer, as it stands in the tokens' iss?",
  "backend-answer":
    "it must be what stands in the tokens' iss, letter by letter",
  "backend-token":
    "are MEOWMAIL_SMTP_OAUTH_CLIENT_ID and MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET right?",
};

/** Reads what the issuer publishes, and asks about a token that is none. */
export async function checkIssuer(
  settings: Settings,
): Promise<Finding | undefined> {
  const options = oauthOptions(settings);
  if (options === undefined) return undefined;
  const what = `--oauth-issuer ${options.issuer}`;
  const probed = await (await newIssuer(options)).probe();
  if (probed.kind === "outage") {
    return { level: "error", text: `${what}: ${why(probed)}` };
  }
  const { keys, introspects } = probed.value;
  const ways = [
    ...(keys === undefined ? [] : [`${keys} keys`]),
    ...(introspects ? ["it knows us"] : []),
  ];
  return {
    level: "ok",
    text: `${what}: ${[...ways, wanted(settings)].join("; ")}`,
  };
}

/** What a token must have, in the words of the settings. */
function wanted({ oauthAudience, oauthClaim, oauthScope }: Settings): string {
  const scope = oauthScope === undefined ? "" : ` and "${oauthScope}" in scope`;
  return `a token must have "${oauthAudience}" in aud${scope} and the user's name in ${oauthClaim}`;
}

function why({ reason, detail }: Outage): string {
  const advice = ADVICE[reason];
  return advice === undefined ? detail : `${detail}: ${advice}`;
}
