import { FLAG_NAMES, flagOf, variableOf } from "../../command/flags/table.ts";
import { readInvocation } from "../../command/invocation.ts";
import type { Settings } from "../../command/settings.ts";
import { UsageError } from "../../command/values.ts";
import {
  assert,
  assertEquals,
  assertFalse,
  assertObjectMatch,
  assertStringIncludes,
  assertThrows,
} from "../support/assert.ts";

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

/** Variables, and files by path. */
interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

function settings(args: readonly string[], given: Given = {}): Settings {
  const { env = {}, files = {} } = given;
  const invocation = readInvocation(args, () => env, (path) => {
    const content = files[path];
    if (content === undefined) {
      throw new Error(
        `No such file or directory (os error 2): readfile '${path}'`,
      );
    }
    return typeof content === "string"
      ? new TextEncoder().encode(content)
      : content;
  });
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  return invocation.settings;
}

function complaint(args: readonly string[], given: Given = {}): string {
  return assertThrows(() => settings(args, given), UsageError).message;
}

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

const PEM = ["--tls-cert", "a.pem", "--tls-key", "b.pem"];
const ENDPOINT = ["--auth-url", "http://a.example/"];

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

/** A flag, values that are none of its, and what is accepted. */
const REFUSED: readonly (readonly [
  keyof Settings,
  readonly string[],
  string,
])[] = [
  ["port", ["-1", "65536", "x", "1.5"], "a whole number from 0 to 65535"],
  ["tlsPort", ["-1", "65536", "on"], "a whole number from 0 to 65535"],
  ["authTimeout", ["0", "2147483648"], "a whole number from 1 to 2147483647"],
  ["idleTimeout", ["0", "1e3"], "a whole number from 1 to 2147483647"],
  ["maxAuthFailures", ["0", "-3"], "a whole number of at least 1"],
  ["maxRecipients", ["0", "-1", "x"], "a whole number of at least 1"],
  ["maxSize", ["0", "25M", "0x10"], "a whole number of at least 1"],
  ["maxConnections", ["0", "١"], "a whole number of at least 1"],
  ["log", ["xml", "JSON"], "text or json"],
  ["hostname", ["a b", "ä"], "a host name"],
  ["host", ["a b"], "an IP address or a host name"],
  ["socketMode", ["999", "66"], "three octal digits, such as 660"],
  [
    "mechanisms",
    ["CRAM-MD5", "PLAIN LOGIN", "PLAIN,", "LOGIN,login", "PLAIN,X"],
    "PLAIN, LOGIN, XOAUTH2, OAUTHBEARER or some of them, each once",
  ],
  [
    "dovecotSocket",
    ["auth"],
    "a path with a slash in it, or host:port",
  ],
];

for (const [name, values, accepted] of REFUSED) {
  const flag = flagOf(name);
  const variable = variableOf(name);
  Deno.test(`readInvocation() takes for ${flag} ${accepted} only`, () => {
    for (const value of values) {
      const rule = `must be ${accepted}`;
      const env = { [variable]: value };
      assertEquals(
        complaint([`${flag}=${value}`]),
        `${flag} ${rule}, not "${value}"`,
      );
      assertEquals(
        complaint([], { env }),
        `${variable} ${rule}, not "${value}"`,
      );
      // Whatever stands there, it may be another file than was meant.
      assertEquals(
        complaint([], {
          env: { [`${variable}_FILE`]: "f" },
          files: { f: value },
        }),
        `${variable}_FILE ${rule}`,
      );
    }
  });
}

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

Deno.test("readInvocation() takes an empty variable for a mistake", () => {
  for (const name of FLAG_NAMES.map(variableOf)) {
    for (const variable of [name, `${name}_FILE`]) {
      assertEquals(
        complaint([], { env: { [variable]: "" } }),
        `${variable} is empty: give it a value or unset it`,
      );
    }
  }
});

Deno.test("readInvocation() takes one of a variable and its file, even where a flag wins", () => {
  const env = { MEOWMAIL_SMTP_PORT: "1", MEOWMAIL_SMTP_PORT_FILE: "f" };
  for (const args of [[], ["--port", "2"]]) {
    assertEquals(
      complaint(args, { env, files: { f: "1" } }),
      "there must be one of MEOWMAIL_SMTP_PORT and MEOWMAIL_SMTP_PORT_FILE",
    );
  }
});

Deno.test("readInvocation() says which file a variable names, and what is wrong with it", () => {
  const env = { MEOWMAIL_SMTP_PORT_FILE: "/run/port" };
  const unreadable = assertThrows(() => settings([], { env }), Error);
  assertFalse(unreadable instanceof UsageError, "it is the machine's fault");
  assertEquals(
    unreadable.message,
    "cannot read MEOWMAIL_SMTP_PORT_FILE /run/port: No such file or directory",
  );
  for (const content of ["", "\n25\n", "\r\n25"]) {
    assertEquals(
      complaint([], { env, files: { "/run/port": content } }),
      "MEOWMAIL_SMTP_PORT_FILE: the first line of /run/port is empty",
    );
  }
  assertEquals(
    complaint([], { env, files: { "/run/port": Uint8Array.of(0x32, 0xff) } }),
    "MEOWMAIL_SMTP_PORT_FILE: /run/port is not UTF-8",
  );
});

/** What nobody knows, and what may have been meant. */
const UNKNOWN: readonly (readonly [Given & { args?: string[] }, string])[] = [
  [
    { env: { MEOWMAIL_SMTP_AUTH_URI: "http://a.example/" } },
    "unknown variable MEOWMAIL_SMTP_AUTH_URI: did you mean MEOWMAIL_SMTP_AUTH_URL?",
  ],
  [
    { env: { MEOWMAIL_SMTP_AUTH_TOKEN_FIL: "f" } },
    "unknown variable MEOWMAIL_SMTP_AUTH_TOKEN_FIL: did you mean MEOWMAIL_SMTP_AUTH_TOKEN_FILE?",
  ],
  [
    { env: { MEOWMAIL_SMTP_AUTH_URI: "" } },
    "unknown variable MEOWMAIL_SMTP_AUTH_URI: did you mean MEOWMAIL_SMTP_AUTH_URL?",
  ],
  [
    { env: { MEOWMAIL_SMTP_DATABASE: "x" } },
    "unknown variable MEOWMAIL_SMTP_DATABASE: see --help",
  ],
  [
    { env: { "MEOWMAIL_SMTP_\x1b[31m\n": "x" } },
    "unknown variable MEOWMAIL_SMTP_?[31m?: see --help",
  ],
  [{ args: ["--prot", "25"] }, "unknown flag --prot: did you mean --port?"],
  [
    { args: ["--auth-uri=x"] },
    "unknown flag --auth-uri: did you mean --auth-url?",
  ],
  [{ args: ["--database"] }, "unknown flag --database: see --help"],
  // Secrets have no flag.
  [{ args: ["--auth-token=s3cret"] }, "unknown flag --auth-token: see --help"],
];

Deno.test("readInvocation() takes no flag and no variable that it does not know, and says which may have been meant", () => {
  for (const [{ args = [], ...given }, expected] of UNKNOWN) {
    assertEquals(complaint(args, given), expected);
  }
});

Deno.test("readInvocation() passes over other programs' variables", () => {
  const env = { PATH: "/bin", MEOWMAIL_IMAP_PORT: "x", meowmail_smtp_x: "y" };
  assertEquals(settings([], { env }), DEFAULTS);
});

Deno.test("readInvocation() takes nothing that is no flag", () => {
  for (
    const args of [
      ["start"],
      ["-p", "25"],
      ["-ps3cret"],
      ["https://ann:s3cret@a.example/"],
      ["--", "something"],
      // `deno task start -- --port 587`, as npm wants it, hands the `--` on.
      ["--", "--port", "587"],
    ]
  ) {
    assertEquals(
      complaint(args),
      "unexpected argument: everything is a flag, see --help",
    );
  }
});

/** Settings that do not fit together. */
const SHARED_STATE =
  "--shared-state must be memory, kv:PATH, http(s)://HOST of denokv, or redis(s)://[USER:PASSWORD@]HOST[:PORT][/DATABASE]";

const UNFIT: readonly (readonly [readonly string[], Given["env"], string])[] = [
  [["--tls-cert", "a.pem"], {}, "--tls-cert needs --tls-key"],
  [
    [],
    { MEOWMAIL_SMTP_TLS_KEY: "a.pem" },
    "MEOWMAIL_SMTP_TLS_KEY needs --tls-cert",
  ],
  [["--tls-port", "465"], {}, "--tls-port needs --tls-cert"],
  [
    ["--tls-port", "465", "--port", "465", ...PEM],
    {},
    "--tls-port must differ from --port",
  ],
  [
    ["--port", "off", "--tls-port", "465", ...PEM],
    {},
    "--tls-port needs --port",
  ],
  [
    ["--port", "off", ...ENDPOINT],
    {},
    "--port off needs --dovecot-socket, --saslauthd-socket or --nginx-port",
  ],
  [
    ["--proxy-protocol-from", "::1"],
    {},
    "--proxy-protocol-from needs --proxy-protocol",
  ],
  [
    ["--no-proxy-protocol", "--proxy-protocol-from", "::1"],
    {},
    "--proxy-protocol-from needs --proxy-protocol",
  ],
  [
    ["--proxy-protocol", "--proxy-protocol-from", "::1,haproxy"],
    {},
    "--proxy-protocol-from must be networks such as 192.0.2.0/24, with commas between them",
  ],
  [
    [],
    { MEOWMAIL_SMTP_AUTH_TOKEN: "s3cret" },
    "MEOWMAIL_SMTP_AUTH_TOKEN needs --auth-url",
  ],
  [["--auth-timeout", "1"], {}, "--auth-timeout needs --auth-url"],
  [
    ["--mechanisms", "PLAIN,OAUTHBEARER"],
    {},
    "--mechanisms with OAUTHBEARER needs --oauth-issuer, --auth-url or --auth-dovecot",
  ],
  [
    ["--mechanisms", "XOAUTH2", "--users", "users"],
    {},
    "--mechanisms with XOAUTH2 needs --oauth-issuer, --auth-url or --auth-dovecot",
  ],
  [
    ["--mechanisms", "XOAUTH2", "--users", "users", ...ENDPOINT],
    {},
    "--users needs --mechanisms to have PLAIN or LOGIN",
  ],
  [
    ["--auth-concurrency", "1"],
    {},
    "--auth-concurrency needs --auth-url or --auth-dovecot or --oauth-issuer",
  ],
  [["--auth-ca", "ca.pem"], {}, "--auth-ca needs --auth-url"],
  [
    ["--auth-ca", "ca.pem", ...ENDPOINT],
    {},
    "--auth-ca needs --auth-url to begin with https:",
  ],
  [
    ["--auth-cache", "1"],
    {},
    "--auth-cache needs --auth-url or --oauth-issuer",
  ],
  [
    ["--auth-grace", "1"],
    {},
    "--auth-grace needs --auth-url or --oauth-issuer",
  ],
  [["--shared-state", "disk"], {}, SHARED_STATE],
  [["--shared-state", "kv:"], {}, SHARED_STATE],
  [["--shared-state", "redis://"], {}, SHARED_STATE],
  [["--shared-state", "redis://canary@"], {}, SHARED_STATE],
  [["--shared-state", "redis://:canary@a/b"], {}, SHARED_STATE],
  [["--shared-state", "redis://:canary%zz@a"], {}, SHARED_STATE],
  [["--shared-state", "redis://a?b=canary"], {}, SHARED_STATE],
  [["--shared-state", "https://canary@a.example"], {}, SHARED_STATE],
  [["--shared-state", "http://a.example:6000/"], {}, SHARED_STATE],
  [
    ["--shared-state-ca", "a.pem", "--shared-state", "redis://a"],
    {},
    "--shared-state-ca needs --shared-state to begin with rediss:",
  ],
  [
    [],
    { MEOWMAIL_SMTP_USER: "ann" },
    "MEOWMAIL_SMTP_USER needs MEOWMAIL_SMTP_PASS",
  ],
  [
    [],
    { MEOWMAIL_SMTP_PASS: "s3cret" },
    "MEOWMAIL_SMTP_PASS needs MEOWMAIL_SMTP_USER",
  ],
  [
    [...ENDPOINT, "--auth-dovecot", "/run/dovecot/auth"],
    {},
    "there must be one of --auth-url and --auth-dovecot, not both",
  ],
  [
    ["--maildir", "./maildir", "--deliver-url", "http://a.example/"],
    {},
    "there must be one of --maildir and --deliver-url, not both",
  ],
  [["--deliver-timeout", "1"], {}, "--deliver-timeout needs --deliver-url"],
  [
    ["--maildir", "./maildir", "--relay", "smtp://a.example"],
    {},
    "there must be one of --maildir and --relay, not both",
  ],
  [
    ["--deliver-url", "http://a.example/", "--relay", "smtp://a.example"],
    {},
    "there must be one of --deliver-url and --relay, not both",
  ],
  [["--relay-ca", "a.pem"], {}, "--relay-ca needs --relay"],
  [
    ["--relay-max-connections", "1"],
    {},
    "--relay-max-connections needs --relay",
  ],
  [
    [],
    { MEOWMAIL_SMTP_RELAY_USER: "ann", MEOWMAIL_SMTP_RELAY_PASS: "s3cret" },
    "MEOWMAIL_SMTP_RELAY_USER needs --relay",
  ],
  [
    ["--relay", "smtp://a.example"],
    { MEOWMAIL_SMTP_RELAY_USER: "ann" },
    "MEOWMAIL_SMTP_RELAY_USER needs MEOWMAIL_SMTP_RELAY_PASS or --relay-oauth-token-url",
  ],
  [
    ["--relay", "smtp://a.example"],
    { MEOWMAIL_SMTP_RELAY_PASS: "s3cret" },
    "MEOWMAIL_SMTP_RELAY_PASS needs MEOWMAIL_SMTP_RELAY_USER",
  ],
  [
    ["--relay", "smtp://a.example", "--relay-oauth-token-url", "microsoft:a"],
    { MEOWMAIL_SMTP_RELAY_USER: "ann" },
    "--relay-oauth-token-url needs MEOWMAIL_SMTP_RELAY_OAUTH_CLIENT_ID",
  ],
  [
    ["--relay", "smtp://ann:s3cret@a.example"],
    {},
    "--relay must not have credentials in it",
  ],
  [
    ["--relay", "a.example"],
    {},
    "--relay must be smtps://host, starttls://host or smtp://host, with or without :port",
  ],
  [
    ["--relay-oauth-token-url", "http://a.example/?s3cret"],
    {},
    "--relay-oauth-token-url must be an https URL without credentials, or microsoft:TENANT",
  ],
  [
    [],
    { MEOWMAIL_SMTP_DELIVER_TOKEN: "s3cret" },
    "MEOWMAIL_SMTP_DELIVER_TOKEN needs --deliver-url",
  ],
  [
    ["--deliver-url", "https://ann:s3cret@a.example/"],
    {},
    "--deliver-url must not contain credentials: use MEOWMAIL_SMTP_DELIVER_TOKEN",
  ],
  [
    ["--socket-mode", "600"],
    {},
    "--socket-mode needs --dovecot-socket or --saslauthd-socket or --policy-socket",
  ],
  [
    ["--socket-group", "mail"],
    {},
    "--socket-group needs --dovecot-socket or --saslauthd-socket or --policy-socket",
  ],
  [["--nginx-port", "8026"], {}, "--nginx-port needs --nginx-upstream"],
  [
    ["--nginx-upstream", "127.0.0.1:25"],
    {},
    "--nginx-upstream needs --nginx-port",
  ],
  [
    [],
    { MEOWMAIL_SMTP_NGINX_SECRET: "s3cret" },
    "MEOWMAIL_SMTP_NGINX_SECRET needs --nginx-port",
  ],
  [
    ["--nginx-port", "8026", "--nginx-upstream", "mail.example:25"],
    {},
    "--nginx-upstream must be an IP address and a port",
  ],
];

Deno.test("readInvocation() says which settings do not fit together", () => {
  for (const [args, env = {}, expected] of UNFIT) {
    assertEquals(complaint(args, { env }), expected);
  }
});

/** Where other machines may come from, and nobody is there to decide. */
const OPEN = [
  [["--host", "0.0.0.0"], "on 0.0.0.0:2525"],
  [["--host", "::"], "on [::]:2525"],
  [["--host", "mail.example.org"], "on mail.example.org:2525"],
  [["--dovecot-socket", "0.0.0.0:12345"], "on 0.0.0.0:12345"],
  [["--saslauthd-socket", "192.0.2.1:1"], "on 192.0.2.1:1"],
  [["--port", "off", "--dovecot-socket", "/run/auth"], "with --port off"],
] as const;

Deno.test("readInvocation() wants an auth source wherever other machines can reach it (issue 11)", () => {
  for (const [args, where] of OPEN) {
    assertEquals(
      complaint(args),
      `no auth source ${where}: there must be --auth-url, --auth-dovecot, --users, --oauth-issuer, or MEOWMAIL_SMTP_USER and MEOWMAIL_SMTP_PASS`,
    );
    settings([...args, ...ENDPOINT]);
    settings([...args, "--auth-dovecot", "./auth"]);
    settings(args, {
      env: { MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS: "secret" },
    });
  }
  for (const host of ["127.0.0.1", "127.9.9.9", "::1", "localhost"]) {
    settings(["--host", host, "--dovecot-socket", "/run/auth"]);
  }
});

Deno.test("readInvocation() takes a local user beside an endpoint", () => {
  const env = { MEOWMAIL_SMTP_USER: "ann", MEOWMAIL_SMTP_PASS: "secret" };
  assertEquals(settings(ENDPOINT, { env }).user, "ann");
});

Deno.test("readInvocation() takes no control characters in a user name or a password", () => {
  for (const character of ["\0", "\t", "\n", "\x7f", "\x85"]) {
    for (const variable of ["MEOWMAIL_SMTP_USER", "MEOWMAIL_SMTP_PASS"]) {
      const env = {
        MEOWMAIL_SMTP_USER: "ann",
        MEOWMAIL_SMTP_PASS: "secret",
        [variable]: `s3cret${character}`,
      };
      assertEquals(
        complaint([], { env }),
        `${variable} must not contain control characters`,
      );
    }
  }
});

/** Ways in which somebody may give a secret away without meaning to. */
const SLIPS: readonly (readonly [readonly string[], Given["env"]?])[] = [
  [["--auth-url", "https://ann:s3cret@a.example/"]],
  [[], { MEOWMAIL_SMTP_AUTH_URL: "https://ann:s3cret@a.example/" }],
  [["--auth-url=https://s3cret@a.example/"]],
  [["--auth-url=ldap://ann:s3cret@a.example/"]],
  [["--auth-url", "https://ann:s3cret@a b/"]],
  [["--auth-token=s3cret"]],
  [["--pass", "s3cret"]],
  [["-ps3cret"]],
  [["s3cret"]],
  [["https://ann:s3cret@a.example/"]],
  [
    ["--auth-url", "http://a.example/"],
    { MEOWMAIL_SMTP_AUTH_TOKEN: "s3cret with spaces" },
  ],
  [["--host", "https://ann:s3cret@a.example/"]],
  [["--port", "https://ann:s3cret@a.example/"]],
  [["--hostname", "https://ann:s3cret@a.example/"]],
  [["--log", "https://ann:s3cret@a.example/"]],
  [["--nginx-upstream", "https://ann:s3cret@a.example/"]],
  [["--dovecot-socket", "ann:s3cret"]],
  [[], { MEOWMAIL_SMTP_NGINX_SECRET: "s3cret with spaces" }],
];

Deno.test("readInvocation() does not repeat a secret in a mistake", () => {
  for (const [args, env = {}] of SLIPS) {
    const line = complaint(args, { env });
    assertFalse(line.includes("s3cret"), line);
    assertFalse(line.includes("\n"), line);
  }
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
