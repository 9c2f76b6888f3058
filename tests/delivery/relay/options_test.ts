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

/** What is wrong, what is said, and whether it is a number. */
const WRONG: readonly (readonly [Partial<RelayOptions>, string])[] = [
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
  [{ username: "", password: "canary" }, "username must not be empty"],
  [{ username: "a\nb", password: "canary" }, "username must not be empty"],
  [
    { username: "ann", oauth: { ...OAUTH, clientId: "" } },
    "clientId must not be empty",
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
      "tokenUrl must be an https URL",
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
      "Cannot create relay: maxConnections must be an integer >= 1",
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
