/**
 * What OpenTelemetry would tell of the endpoints' URLs: Deno itself exports the
 * whole URL of each request that goes out, and there is no way to have it leave
 * something away.
 *
 * @module
 */

import type { Settings } from "./settings.ts";

/** The settings that `fetch` is called with, and where a secret belongs. */
const URLS = [
  ["authUrl", "--auth-url", "MEOWMAIL_SMTP_AUTH_TOKEN"],
  ["deliverUrl", "--deliver-url", "MEOWMAIL_SMTP_DELIVER_TOKEN"],
  [
    "oauthIntrospection",
    "--oauth-introspection",
    "MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET",
  ],
  [
    "relayOauthTokenUrl",
    "--relay-oauth-token-url",
    "MEOWMAIL_SMTP_RELAY_OAUTH_CLIENT_SECRET",
  ],
] as const;

/**
 * Warns of a query that is exported, which may be harmless and may hold a
 * secret: one line for each URL that has one, without the query.
 *
 * @param settings Where requests go.
 */
export function exportedQueries(
  settings: Pick<Settings, typeof URLS[number][0]>,
): string[] {
  return URLS.filter(([name]) => hasQuery(settings[name]))
    .map(([, flag, variable]) =>
      `OpenTelemetry exports the query of ${flag} with each request: a secret belongs in ${variable}`
    );
}

function hasQuery(url: string | true | undefined): boolean {
  // One of `microsoft:TENANT` has none.
  return typeof url === "string" && new URL(url).search !== "";
}
