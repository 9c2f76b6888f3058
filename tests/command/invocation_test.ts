import { FLAG_NAMES, flagOf, variableOf } from "../../command/flags/table.ts";
import { readInvocation } from "../../command/invocation.ts";
import type { Settings } from "../../command/settings.ts";
import {
  assert,
  assertEquals,
  assertObjectMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import {
  complaint,
  ENDPOINT,
  type Given,
  PEM,
  settings,
} from "../support/invocation.ts";

/** What there is with neither flags nor variables: DESIGN.md section 6. */
const DEFAULTS: Settings = {
  host: "127.0.0.1",
  port: 2525,
  reusePort: false,
  hostname: undefined,
  maxConnections: 10_000,
  maxConnectionsPerNetwork: 200,
  idleTimeout: 300_000,
  greetingDelay: 0,
  shutdownDelay: 0,
  proxyProtocol: false,
  proxyProtocolFrom: ["127.0.0.0/8", "::1"],
  tlsCert: undefined,
  tlsKey: undefined,
  tlsPort: undefined,
  authUrl: undefined,
  authToken: undefined,
  authCa: undefined,
  authDovecot: undefined,
  authTimeout: 1200,
  authConcurrency: 1000,
  authCache: 0,
  authGrace: 0,
  users: undefined,
  user: undefined,
  pass: undefined,
  mechanisms: undefined,
  requireAuth: true,
  trustedNetworks: undefined,
  allowInsecureAuth: false,
  maxAuthFailures: 3,
  throttle: true,
  oauthIssuer: undefined,
  oauthAudience: undefined,
  oauthClaim: undefined,
  oauthScope: undefined,
  oauthIntrospection: undefined,
  oauthClientId: undefined,
  oauthClientSecret: undefined,
  dovecotSocket: undefined,
  saslauthdSocket: undefined,
  policySocket: undefined,
  socketMode: undefined,
  socketGroup: undefined,
  nginxPort: undefined,
  nginxUpstream: undefined,
  nginxSecret: undefined,
  maildir: "./maildir",
  deliverUrl: undefined,
  deliverToken: undefined,
  deliverTimeout: 30_000,
  relay: undefined,
  relayUser: undefined,
  relayPass: undefined,
  relayOauthTokenUrl: undefined,
  relayOauthScope: undefined,
  relayOauthClientId: undefined,
  relayOauthClientSecret: undefined,
  relayCa: undefined,
  relayMaxConnections: 20,
  maxRecipientsPerDay: undefined,
  maxMessagesPerMinute: undefined,
  maxRecipients: 100,
  maxSize: 26_214_400,
  normalizeNewlines: false,
  sharedState: "memory",
  sharedStateCa: undefined,
  log: undefined,
  metricsPort: undefined,
  metricsHost: "127.0.0.1",
};

Deno.test("readInvocation() has the documented defaults", () => {
  assertEquals(settings([]), DEFAULTS);
});

Deno.test("readInvocation() derives the names of flags and variables from those of the settings", () => {
  assertEquals(
    flagOf("maxConnectionsPerNetwork"),
    "--max-connections-per-network",
  );
  assertEquals(
    variableOf("maxConnectionsPerNetwork"),
    "MEOWMAIL_SMTP_MAX_CONNECTIONS_PER_NETWORK",
  );
  // What stands on the command line shows in `ps`.
  for (const name of SECRETS) assertEquals(flagOf(name), undefined);
});

/** A setting, two values for it, and what else it takes. */
const VALUES: readonly (readonly [
  keyof Settings,
  readonly [string, unknown],
  readonly [string, unknown],
  ...readonly string[],
])[] = [
  ["host", ["::1", "::1"], ["localhost", "localhost"]],
  ["port", ["0", 0], ["65535", 65_535]],
  [
    "port",
    ["off", undefined],
    ["OFF", undefined],
    ...["--dovecot-socket", "/run/auth", ...ENDPOINT],
  ],
  ["hostname", ["mail.example.org", "mail.example.org"], [
    "[192.0.2.1]",
    "[192.0.2.1]",
  ]],
  ["maxConnections", ["1", 1], ["50000", 50_000]],
  ["maxConnectionsPerNetwork", ["1", 1], ["50000", 50_000]],
  ["idleTimeout", ["1", 1], ["2147483647", 2_147_483_647]],
  ["greetingDelay", ["0", 0], ["2147483647", 2_147_483_647]],
  ["shutdownDelay", ["0", 0], ["2147483647", 2_147_483_647]],
  [
    "proxyProtocolFrom",
    ["192.0.2.0/24,::1", ["192.0.2.0/24", "::1"]],
    ["192.0.2.7", ["192.0.2.7"]],
    "--proxy-protocol",
  ],
  ["tlsCert", ["a b.pem", "a b.pem"], ["c", "c"], "--tls-key", "b.pem"],
  ["tlsKey", ["a b.pem", "a b.pem"], ["c", "c"], "--tls-cert", "a.pem"],
  ["tlsPort", ["465", 465], ["off", undefined], ...PEM],
  ["tlsPort", ["0", 0], ["65535", 65_535], ...PEM],
  [
    "authUrl",
    [
      "https://intranet.example/may-send?tenant=7",
      "https://intranet.example/may-send?tenant=7",
    ],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/"],
  ],
  [
    "authDovecot",
    ["/run/dovecot/auth", { path: "/run/dovecot/auth" }],
    ["[::1]:12345", { hostname: "::1", port: 12_345 }],
  ],
  [
    "authCa",
    ["/etc/ca.pem", "/etc/ca.pem"],
    ["a b", "a b"],
    ...["--auth-url", "https://a.example/"],
  ],
  ["authTimeout", ["1", 1], ["2147483647", 2_147_483_647], ...ENDPOINT],
  ["authConcurrency", ["1", 1], ["5000", 5000], ...ENDPOINT],
  ["authCache", ["0", 0], ["60000", 60_000], ...ENDPOINT],
  ["authGrace", ["0", 0], ["3600000", 3_600_000], ...ENDPOINT],
  ["users", ["/etc/users", "/etc/users"], ["a b", "a b"]],
  [
    "mechanisms",
    ["XOAUTH2,PLAIN", ["XOAUTH2", "PLAIN"]],
    ["plain, login,xoauth2,OAUTHBEARER", [
      "PLAIN",
      "LOGIN",
      "XOAUTH2",
      "OAUTHBEARER",
    ]],
    ...ENDPOINT,
  ],
  [
    "trustedNetworks",
    ["192.0.2.7", ["192.0.2.7"]],
    ["192.0.2.0/24,2001:db8::/32", ["192.0.2.0/24", "2001:db8::/32"]],
  ],
  ["maxAuthFailures", ["1", 1], ["100", 100]],
  [
    "dovecotSocket",
    ["/run/meow/auth", { path: "/run/meow/auth" }],
    ["127.0.0.1:0", { hostname: "127.0.0.1", port: 0 }],
  ],
  [
    "saslauthdSocket",
    ["./mux", { path: "./mux" }],
    ["localhost:12345", { hostname: "localhost", port: 12_345 }],
  ],
  [
    "policySocket",
    ["/run/meow/policy", { path: "/run/meow/policy" }],
    ["127.0.0.1:0", { hostname: "127.0.0.1", port: 0 }],
  ],
  ["socketMode", ["600", 0o600], ["0660", 0o660], "--dovecot-socket", "./a"],
  [
    "socketGroup",
    ["postfix", "postfix"],
    ["105", "105"],
    ...["--saslauthd-socket", "./a"],
  ],
  [
    "nginxPort",
    ["8026", 8026],
    ["0", 0],
    ...["--nginx-upstream", "127.0.0.1:2526"],
  ],
  [
    "nginxUpstream",
    ["127.0.0.1:2526", { hostname: "127.0.0.1", port: 2526 }],
    ["[2001:db8::1]:25", { hostname: "2001:db8::1", port: 25 }],
    ...["--nginx-port", "8026"],
  ],
  ["maildir", ["/a b", "/a b"], ["c", "c"]],
  [
    "deliverUrl",
    ["https://intranet.example/mail", "https://intranet.example/mail"],
    ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/"],
  ],
  [
    "deliverTimeout",
    ["1", 1],
    ["2147483647", 2_147_483_647],
    ...["--deliver-url", "http://a.example/"],
  ],
  [
    "relay",
    ["smtps://mail.example", "smtps://mail.example"],
    ["smtp://[::1]:2525", "smtp://[::1]:2525"],
  ],
  ["relayCa", ["a.pem", "a.pem"], ["b", "b"], "--relay", "smtp://a.example"],
  [
    "relayMaxConnections",
    ["1", 1],
    ["500", 500],
    ...["--relay", "smtp://a.example"],
  ],
  ["maxRecipientsPerDay", ["500", 500], ["off", undefined]],
  ["maxMessagesPerMinute", ["1", 1], ["OFF", undefined]],
  ["maxRecipients", ["1", 1], ["1000", 1000]],
  ["maxSize", ["1", 1], ["99999999999", 99_999_999_999]],
  [
    "sharedState",
    ["kv:/var/lib/meow/state", "kv:/var/lib/meow/state"],
    ["rediss://u:p%40ss@[::1]:6380/2", "rediss://u:p%40ss@[::1]:6380/2"],
  ],
  [
    "sharedStateCa",
    ["/etc/ca.pem", "/etc/ca.pem"],
    ["a b", "a b"],
    ...["--shared-state", "rediss://a.example"],
  ],
  ["log", ["text", "text"], ["json", "json"]],
  ["metricsPort", ["9100", 9100], ["0", 0]],
  ["metricsHost", ["::1", "::1"], ["a.b", "a.b"], "--metrics-port", "0"],
];

for (const [name, [one, asOne], [other, asOther], ...more] of VALUES) {
  const flag = flagOf(name);
  const variable = variableOf(name);
  Deno.test(`readInvocation() takes ${flag} ${one}, ${variable} and ${variable}_FILE, and the flag wins`, () => {
    const read = (args: readonly string[], given?: Given) =>
      settings([...more, ...args], given)[name];
    assert(flag !== undefined);
    assertEquals<unknown>(read([flag, one]), asOne);
    assertEquals<unknown>(read([`${flag}=${one}`]), asOne);
    assertEquals<unknown>(read([], { env: { [variable]: one } }), asOne);
    assertEquals<unknown>(read([], { env: { [variable]: other } }), asOther);
    const env = { [`${variable}_FILE`]: "f" };
    const files = { f: `${one}\nmore\n` };
    assertEquals<unknown>(read([], { env, files }), asOne);
    assertEquals<unknown>(
      read([flag, one], { env: { [variable]: other } }),
      asOne,
    );
    // Nobody reads a file that does not count.
    assertEquals<unknown>(read([flag, one], { env }), asOne);
  });
}

const SECRETS = [
  "authToken",
  "user",
  "pass",
  "nginxSecret",
  "deliverToken",
] as const;

/** What the login at the next hop consists of, which has tests of its own. */
const RELAY_LOGIN = [
  "relayUser",
  "relayPass",
  "relayOauthTokenUrl",
  "relayOauthScope",
  "relayOauthClientId",
  "relayOauthClientSecret",
] as const;

/** Whose tokens are taken: likewise. */
const TOKENS = [
  "oauthIssuer",
  "oauthAudience",
  "oauthClaim",
  "oauthScope",
  "oauthIntrospection",
  "oauthClientId",
  "oauthClientSecret",
] as const;

Deno.test("readInvocation() is tested with every setting", () => {
  const names = [
    ...VALUES.map(([name]) => name),
    ...SWITCHES,
    ...SECRETS,
    ...RELAY_LOGIN,
    ...TOKENS,
  ];
  assertEquals([...new Set(names)].sort(), [...FLAG_NAMES].sort());
});

Deno.test("readInvocation() takes what a login by password at the next hop needs", () => {
  const env = {
    MEOWMAIL_SMTP_RELAY_USER: "relay@a.example",
    MEOWMAIL_SMTP_RELAY_PASS_FILE: "/run/secrets/pass",
  };
  const files = { "/run/secrets/pass": "s3cret\n" };
  assertObjectMatch(settings(["--relay", "smtp://a.example"], { env, files }), {
    relayUser: "relay@a.example",
    relayPass: "s3cret",
    relayOauthTokenUrl: undefined,
  });
});

Deno.test("readInvocation() takes what a login by token at the next hop needs", () => {
  const env = {
    MEOWMAIL_SMTP_RELAY: "starttls://smtp.office365.com",
    MEOWMAIL_SMTP_RELAY_USER: "relay@contoso.example",
    MEOWMAIL_SMTP_RELAY_OAUTH_CLIENT_ID: "id",
    MEOWMAIL_SMTP_RELAY_OAUTH_CLIENT_SECRET_FILE: "/run/secrets/client",
  };
  const files = { "/run/secrets/client": "s3cret\n" };
  const args = [
    ...["--relay-oauth-token-url", "microsoft:contoso.example"],
    ...["--relay-oauth-scope", "https://a.example/.default"],
  ];
  assertObjectMatch(settings(args, { env, files }), {
    relay: "starttls://smtp.office365.com",
    relayUser: "relay@contoso.example",
    relayPass: undefined,
    relayOauthTokenUrl: "microsoft:contoso.example",
    relayOauthScope: "https://a.example/.default",
    relayOauthClientId: "id",
    relayOauthClientSecret: "s3cret",
  });
});

Deno.test("readInvocation() takes secrets from variables and files", () => {
  const env = {
    MEOWMAIL_SMTP_AUTH_URL: "http://a.example/",
    MEOWMAIL_SMTP_AUTH_TOKEN_FILE: "/run/secrets/token",
    MEOWMAIL_SMTP_USER: "ann@example.org",
    MEOWMAIL_SMTP_PASS_FILE: "/run/secrets/pass",
    MEOWMAIL_SMTP_NGINX_PORT: "0",
    MEOWMAIL_SMTP_NGINX_UPSTREAM: "127.0.0.1:25",
    MEOWMAIL_SMTP_NGINX_SECRET: "known-to-both",
    MEOWMAIL_SMTP_DELIVER_URL: "http://b.example/",
    MEOWMAIL_SMTP_DELIVER_TOKEN: "0ther",
  };
  const files = {
    // As editors of other systems write it, mark and all.
    "/run/secrets/token": "\ufefft0ken\r\n",
    "/run/secrets/pass": " pä$$ 'word\" ",
  };
  const read = settings([], { env, files });
  assertEquals(SECRETS.map((name) => read[name]), [
    "t0ken",
    "ann@example.org",
    " pä$$ 'word\" ",
    "known-to-both",
    "0ther",
  ]);
});

const SWITCHES = [
  "requireAuth",
  "allowInsecureAuth",
  "throttle",
  "proxyProtocol",
  "reusePort",
  "normalizeNewlines",
] as const;

for (const name of SWITCHES) {
  const flag = flagOf(name)?.slice(2);
  const variable = variableOf(name);
  Deno.test(`readInvocation() takes --${flag}, --no-${flag} and all words of ${variable}`, () => {
    const read = (args: readonly string[], word?: string) =>
      settings(args, word === undefined ? {} : { env: { [variable]: word } })[
        name
      ];
    assertEquals(read([`--${flag}`]), true);
    assertEquals(read([`--no-${flag}`]), false);
    for (const word of ["on", "true", "1", "yes", "ON", "True"]) {
      assertEquals(read([], word), true, word);
      assertEquals(read([`--${flag}=${word}`]), true, word);
    }
    for (const word of ["off", "false", "0", "no", "Off"]) {
      assertEquals(read([], word), false, word);
      assertEquals(read([`--${flag}=${word}`]), false, word);
    }
    assertEquals(read([`--${flag}`], "off"), true);
    assertEquals(read([`--no-${flag}`], "on"), false);
    for (const word of ["maybe", "2", "-1", "onn"]) {
      const rule = "must be on/off, true/false, 1/0 or yes/no";
      assertEquals(
        complaint([], { env: { [variable]: word } }),
        `${variable} ${rule}, not "${word}"`,
      );
      assertEquals(
        complaint([`--${flag}=${word}`]),
        `--${flag} ${rule}, not "${word}"`,
      );
    }
  });
}

Deno.test("readInvocation() never takes --no-allow-insecure-auth=… for on", () => {
  for (const word of ["true", "yes", "no", "off", "x"]) {
    assertEquals(
      complaint([`--no-allow-insecure-auth=${word}`]),
      "--no-allow-insecure-auth takes no value",
    );
  }
});

Deno.test("readInvocation() wants a value for each flag that takes one", () => {
  for (const name of new Set(VALUES.map(([name]) => name))) {
    const flag = flagOf(name);
    assertEquals(complaint([`${flag}=`]), `${flag} needs a value`);
    assertEquals(complaint([`${flag}`]), `${flag} needs a value`);
  }
  assertEquals(
    complaint(["--hostname", "--port", "0"]),
    "--hostname needs a value",
    "a flag is no other flag's value",
  );
});

Deno.test("readInvocation() passes over other programs' variables", () => {
  const env = { PATH: "/bin", MEOWMAIL_IMAP_PORT: "x", meowmail_smtp_x: "y" };
  assertEquals(settings([], { env }), DEFAULTS);
});

Deno.test("readInvocation() takes a local user beside an endpoint", () => {
  const env = { MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS: "secret" };
  assertEquals(settings(ENDPOINT, { env }).user, "ann");
});

Deno.test("readInvocation() needs no environment to be asked for help or version", () => {
  for (const kind of ["help", "version"] as const) {
    const invocation = readInvocation(
      [`--${kind}`, "--port", "x"],
      () => {
        throw new Error("not permitted");
      },
      () => new Uint8Array(),
    );
    assertStringIncludes(invocation.kind, kind);
  }
});
