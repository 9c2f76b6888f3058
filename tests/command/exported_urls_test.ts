import { exportedQueries } from "../../command/exported_urls.ts";
import { assertEquals } from "../support/assert.ts";

const NONE = {
  authUrl: undefined,
  deliverUrl: undefined,
  oauthIntrospection: undefined,
  relayOauthTokenUrl: undefined,
} as const;

Deno.test("exportedQueries() names each URL with a query, and not the query", () => {
  const rows = [
    [NONE, []],
    [{ ...NONE, authUrl: "https://a.example/" }, []],
    [
      {
        authUrl: "https://a.example/may?key=s3cret",
        deliverUrl: "https://a.example/mail?s3cret",
        oauthIntrospection: "https://a.example/look?key=s3cret",
        relayOauthTokenUrl: "https://a.example/token?key=s3cret",
      },
      [
        ["--auth-url", "MEOWMAIL_SMTP_AUTH_TOKEN"],
        ["--deliver-url", "MEOWMAIL_SMTP_DELIVER_TOKEN"],
        ["--oauth-introspection", "MEOWMAIL_SMTP_OAUTH_CLIENT_SECRET"],
        ["--relay-oauth-token-url", "MEOWMAIL_SMTP_RELAY_OAUTH_CLIENT_SECRET"],
      ],
    ],
    [
      {
        ...NONE,
        oauthIntrospection: true,
        relayOauthTokenUrl: "microsoft:contoso.example",
      },
      [],
    ],
  ] as const;
  for (const [settings, expected] of rows) {
    assertEquals(
      exportedQueries(settings),
      expected.map(([flag, variable]) =>
        `OpenTelemetry exports the query of ${flag} with each request: a secret belongs in ${variable}`
      ),
    );
  }
});
