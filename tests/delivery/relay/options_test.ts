import {
  checkedRelayOptions,
  type RelayOptions,
} from "../../../delivery/relay/options.ts";
import { newRelay } from "../../../delivery/relay/relay.ts";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "../../support/assert.ts";

const URL_ = "starttls://mail.example.com";
const OAUTH = {
  tokenUrl: "https://login.example.com/token",
  clientId: "relay",
  clientSecret: "canary",
};

/** Options that the compiler would refuse. */
function without(options: object): Partial<RelayOptions> {
  return options;
}

/** What is wrong, and what is said. */
const WRONG: readonly (readonly [Partial<RelayOptions>, string])[] = [
  [without({ prot: 25 }), "options may have url, username, password, oauth, "],
  [without({ url: undefined }), "url must be a URL: got undefined"],
  [without({ url: 25 }), "url must be a URL: got a number"],
  [without({ password: 5 }), "password must be a string that is not empty"],
  [without({ oauth: "canary" }), "oauth must be an object: got a string"],
  [
    without({ username: "ann", oauth: { ...OAUTH, secret: 1 } }),
    "oauth may have tokenUrl, clientId, clientSecret, scope: got secret",
  ],
  [
    { ca: "/etc/ssl/ca.pem" },
    "ca must be PEM with -----BEGIN CERTIFICATE-----, not a path: got a string",
  ],
  [
    {
      username: "ann",
      oauth: { ...OAUTH, tokenUrl: "https://a.example:6000" },
    },
    "oauth.tokenUrl must have a port that fetch allows: got 6000",
  ],
  [{ url: "http://mail.example.com" }, "url must be smtps://host"],
  [{ url: "smtp://ann:canary@mail.example.com" }, "url must not have cred"],
  [{ serverName: "two words" }, "serverName must be a host name"],
  [{ username: "ann" }, "username must come with password or oauth"],
  [{ password: "canary" }, "username must come with password or oauth"],
  [{ oauth: OAUTH }, "username must come with password or oauth"],
  [
    { username: "ann", password: "canary", oauth: OAUTH },
    "password and oauth do not go together",
  ],
  [
    { username: "", password: "canary" },
    "username must be a string that is not empty",
  ],
  [
    { username: "a\nb", password: "canary" },
    "username must be a string that is not empty",
  ],
  [
    { username: "ann", oauth: { ...OAUTH, clientId: "" } },
    "oauth.clientId must be a string that is not empty",
  ],
  ...[
    "http://login.example.com/token",
    "https://ann:canary@login.example.com/token",
    "login.example.com",
    "microsoft:",
    "microsoft:a/b",
    "ftp://login.example.com",
  ].map((tokenUrl) =>
    [
      { username: "ann", oauth: { ...OAUTH, tokenUrl } },
      "oauth.tokenUrl must be an https URL",
    ] as const
  ),
];

Deno.test("newRelay() refuses what makes no sense, and repeats no secret", () => {
  for (const [options, rule] of WRONG) {
    const error = assertThrows(
      () => newRelay({ url: URL_, ...options }),
      TypeError,
      `Cannot create relay: ${rule}`,
    );
    assert(!error.message.includes("canary"), error.message);
  }
  for (const maxConnections of [0, -1, 1.5, NaN]) {
    const error = assertThrows(
      () => newRelay({ url: URL_, maxConnections }),
      Error,
      "Cannot create relay: maxConnections must be an integer >= 1: got",
    );
    assertInstanceOf(error, RangeError);
  }
});

Deno.test("newRelay() takes a token endpoint on the machine itself in plain text", () => {
  for (
    const tokenUrl of [
      "http://127.0.0.1:8080/token",
      "http://[::1]/token",
      "http://localhost/token",
    ]
  ) {
    const oauth = { ...OAUTH, tokenUrl };
    const { token } = checkedRelayOptions({ url: URL_, username: "a", oauth });
    assertEquals(token?.tokenUrl.href, tokenUrl);
    assertEquals(token?.scope, undefined);
  }
});

Deno.test("newRelay() knows where Microsoft 365 gives tokens", () => {
  const tokenUrl = "microsoft:contoso.onmicrosoft.com";
  for (
    const [scope, expected] of [
      [undefined, "https://outlook.office365.com/.default"],
      ["https://outlook.example/.default", "https://outlook.example/.default"],
    ] as const
  ) {
    const oauth = {
      ...OAUTH,
      tokenUrl,
      ...(scope === undefined ? {} : { scope }),
    };
    const { token } = checkedRelayOptions({ url: URL_, username: "a", oauth });
    assertEquals(
      token?.tokenUrl.href,
      "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
    );
    assertEquals(token?.scope, expected);
  }
});
