import {
  readInvocation,
  type Settings,
  UsageError,
} from "../../command/settings.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

/** What there is with neither flags nor variables: DESIGN.md section 6. */
const DEFAULTS: Settings = {
  host: "127.0.0.1",
  port: 2525,
  auth: { kind: "none" },
  requireAuth: true,
  allowInsecureAuth: false,
  maxAuthFailures: 3,
  throttle: true,
  adapters: { socket: {} },
  maildir: "./maildir",
  maxSize: 26_214_400,
  maxConnections: 10_000,
  maxConnectionsPerNetwork: 200,
  idleTimeoutMs: 300_000,
  greetingDelayMs: 0,
};

type Variables = Readonly<Record<string, string>>;

function settings(args: readonly string[], env: Variables = {}): Settings {
  const invocation = readInvocation(args, (name) => env[name]);
  if (invocation.kind !== "serve") throw new Error(invocation.kind);
  return invocation.settings;
}

function complaint(args: readonly string[], env: Variables = {}): string {
  return assertThrows(() => settings(args, env), UsageError).message;
}

Deno.test("readInvocation() has the documented defaults", () => {
  assertEquals(settings([]), DEFAULTS);
});

Deno.test("readInvocation() takes an empty variable for one that is not set", () => {
  const empty = Object.fromEntries(
    ROWS.map(([, variable]) => [variable, ""]),
  );
  assertEquals(settings([], empty), DEFAULTS);
});

/** How an endpoint is asked where nothing else is said. */
const ENDPOINT = {
  timeoutMs: 1200,
  concurrency: 1000,
  cacheMs: 0,
  graceMs: 0,
} as const;

/** Flag, variable, a value, another one, and what each makes of the settings. */
const ROWS = [
  ["host", "MEOWMAIL_SMTP_HOST", "::1", "0.0.0.0", (host: string) => ({
    host,
  })],
  ["port", "MEOWMAIL_SMTP_PORT", "0", "65535", (port: string) => ({
    port: Number(port),
  })],
  [
    "auth-url",
    "MEOWMAIL_SMTP_AUTH_URL",
    "https://intranet.example/may-send?tenant=7",
    "http://127.0.0.1:8080/",
    (url: string) => ({ auth: { kind: "http", url, ...ENDPOINT } }),
  ],
  [
    "max-auth-failures",
    "MEOWMAIL_SMTP_MAX_AUTH_FAILURES",
    "1",
    "100",
    (n: string) => ({ maxAuthFailures: Number(n) }),
  ],
  [
    "hostname",
    "MEOWMAIL_SMTP_HOSTNAME",
    "mail.example.org",
    "[192.0.2.1]",
    (hostname: string) => ({ hostname }),
  ],
  ["maildir", "MEOWMAIL_SMTP_MAILDIR", "/a b", "c", (maildir: string) => ({
    maildir,
  })],
  ["max-size", "MEOWMAIL_SMTP_MAX_SIZE", "1", "99999999999", (n: string) => ({
    maxSize: Number(n),
  })],
  [
    "max-connections",
    "MEOWMAIL_SMTP_MAX_CONNECTIONS",
    "1",
    "50000",
    (n: string) => ({ maxConnections: Number(n) }),
  ],
  [
    "max-connections-per-network",
    "MEOWMAIL_SMTP_MAX_CONNECTIONS_PER_NETWORK",
    "1",
    "50000",
    (n: string) => ({ maxConnectionsPerNetwork: Number(n) }),
  ],
  [
    "greeting-delay",
    "MEOWMAIL_SMTP_GREETING_DELAY",
    "0",
    "2147483647",
    (n: string) => ({ greetingDelayMs: Number(n) }),
  ],
  [
    "idle-timeout",
    "MEOWMAIL_SMTP_IDLE_TIMEOUT",
    "1",
    "2147483647",
    (n: string) => ({ idleTimeoutMs: Number(n) }),
  ],
  ["log", "MEOWMAIL_SMTP_LOG", "text", "json", (log: string) => ({ log })],
] as const;

for (const [flag, variable, one, other, meaning] of ROWS) {
  Deno.test(`readInvocation() takes --${flag} and ${variable}, and the flag wins`, () => {
    const expected = { ...DEFAULTS, ...meaning(one) };
    const apart = [`--${flag}`, one];
    const joined = [`--${flag}=${one}`];
    assertEquals<object>(settings(apart), expected);
    assertEquals<object>(settings(joined), expected);
    assertEquals<object>(settings([], { [variable]: one }), expected);
    assertEquals<object>(settings(apart, { [variable]: other }), expected);
    assertEquals<object>(settings([], { [variable]: other }), {
      ...DEFAULTS,
      ...meaning(other),
    });
  });
}

Deno.test("readInvocation() takes a certificate, a key and a port for TLS, and the flags win", () => {
  const env = {
    MEOWMAIL_SMTP_TLS_CERT: "env.pem",
    MEOWMAIL_SMTP_TLS_KEY: "env.key",
    MEOWMAIL_SMTP_TLS_PORT: "465",
  };
  const flags = [
    ...["--tls-cert", "flag.pem", "--tls-key", "flag.key"],
    ...["--tls-port", "0"],
  ];
  assertEquals(settings([], env), {
    ...DEFAULTS,
    tlsFiles: { cert: "env.pem", key: "env.key" },
    tlsPort: 465,
  });
  assertEquals(settings(flags, env), {
    ...DEFAULTS,
    tlsFiles: { cert: "flag.pem", key: "flag.key" },
    tlsPort: 0,
  });
  assertEquals(settings(["--tls-key", "flag.key"], env).tlsFiles, {
    cert: "env.pem",
    key: "flag.key",
  });
});

Deno.test("readInvocation() takes the networks of proxies only with --proxy-protocol", () => {
  const from = (...args: string[]) => settings(args).proxyProtocolFrom;
  assertEquals(from(), undefined);
  assertEquals(from("--proxy-protocol"), ["127.0.0.0/8", "::1"]);
  assertEquals(
    from("--proxy-protocol", "--proxy-protocol-from", "192.0.2.0/24,::1"),
    ["192.0.2.0/24", "::1"],
  );
  assertEquals(
    complaint(["--proxy-protocol-from", "::1"]),
    "--proxy-protocol-from needs --proxy-protocol",
  );
  assertEquals(
    complaint(["--proxy-protocol", "--proxy-protocol-from", "::1,haproxy"]),
    "--proxy-protocol-from must be networks such as 192.0.2.0/24, with commas between them",
  );
});

Deno.test("readInvocation() takes the adapters that other servers ask at", () => {
  const adapters = (...args: string[]) => settings(args).adapters;
  assertEquals(
    adapters(
      ...["--dovecot-socket", "/run/meow/auth", "--saslauthd-socket=./mux"],
      ...["--socket-mode", "600", "--socket-group", "postfix"],
    ),
    {
      dovecot: { path: "/run/meow/auth" },
      saslauthd: { path: "./mux" },
      socket: { mode: 0o600, group: "postfix" },
    },
  );
  assertEquals(adapters("--dovecot-socket", "[::1]:12345"), {
    dovecot: { hostname: "::1", port: 12345 },
    socket: {},
  });
  assertEquals(
    adapters("--nginx-port", "8026", "--nginx-upstream", "127.0.0.1:2526"),
    {
      nginx: {
        hostname: "127.0.0.1",
        port: 8026,
        upstream: { hostname: "127.0.0.1", port: 2526 },
      },
      socket: {},
    },
  );
  for (
    const [args, expected] of [
      [
        ["--dovecot-socket", "auth"],
        '--dovecot-socket must be a path with a slash in it, or host:port, not "auth"',
      ],
      [
        ["--dovecot-socket", "localhost:99999"],
        "--dovecot-socket must be a path with a slash in it, or host:port",
      ],
      [
        ["--socket-mode", "999"],
        '--socket-mode must be three octal digits, such as 660, not "999"',
      ],
      [
        ["--nginx-port", "8026"],
        "--nginx-port and --nginx-upstream must come together",
      ],
      [
        ["--nginx-port", "8026", "--nginx-upstream", "mail.example:25"],
        "--nginx-upstream must be an IP address and a port",
      ],
      [
        [
          "--auth-dovecot",
          "/run/dovecot/auth",
          "--auth-url",
          "http://a.example/",
        ],
        "there must be one auth source: --auth-url, --auth-dovecot or MEOWMAIL_SMTP_USER, not both",
      ],
    ] as const
  ) assertEquals(complaint([...args]), expected);
});

Deno.test("readInvocation() takes cache, grace and concurrency only with an endpoint", () => {
  const env = { MEOWMAIL_SMTP_AUTH_URL: "http://a.example/" };
  const flags = ["--auth-cache", "60000", "--auth-grace", "3600000"];
  assertEquals(settings([...flags, "--auth-concurrency", "5"], env).auth, {
    kind: "http",
    url: "http://a.example/",
    ...ENDPOINT,
    cacheMs: 60_000,
    graceMs: 3_600_000,
    concurrency: 5,
  });
  assertEquals(complaint(flags), "--auth-cache needs --auth-url");
  assertEquals(
    complaint(["--auth-grace", "1"]),
    "--auth-grace needs --auth-url",
  );
});

Deno.test("readInvocation() takes the endpoint's time limit and token", () => {
  const env = {
    MEOWMAIL_SMTP_AUTH_URL: "http://a.example/",
    MEOWMAIL_SMTP_AUTH_TOKEN: "t0ken",
    MEOWMAIL_SMTP_AUTH_TIMEOUT: "50",
  };
  const auth = {
    kind: "http",
    url: "http://a.example/",
    ...ENDPOINT,
    bearerToken: "t0ken",
    timeoutMs: 50,
  } as const;
  assertEquals(settings([], env).auth, auth);
  assertEquals(settings(["--auth-timeout", "60"], env).auth, {
    ...auth,
    timeoutMs: 60,
  });
});

Deno.test("readInvocation() takes one local user as it is, spaces and all", () => {
  const env = {
    MEOWMAIL_SMTP_USER: "ann@example.org",
    MEOWMAIL_SMTP_PASS: " pä$$ 'word\" ",
  };
  assertEquals(settings([], env).auth, {
    kind: "local",
    username: "ann@example.org",
    password: " pä$$ 'word\" ",
  });
});

const SWITCHES = [
  ["require-auth", "MEOWMAIL_SMTP_REQUIRE_AUTH", "requireAuth"],
  [
    "allow-insecure-auth",
    "MEOWMAIL_SMTP_ALLOW_INSECURE_AUTH",
    "allowInsecureAuth",
  ],
  ["throttle", "MEOWMAIL_SMTP_THROTTLE", "throttle"],
] as const;

for (const [flag, variable, name] of SWITCHES) {
  Deno.test(`readInvocation() takes --${flag}, --no-${flag} and all words of ${variable}`, () => {
    assertEquals(settings([`--${flag}`])[name], true);
    assertEquals(settings([`--no-${flag}`])[name], false);
    for (const word of ["on", "true", "1", "yes", "ON", "True"]) {
      assertEquals(settings([], { [variable]: word })[name], true, word);
      assertEquals(settings([`--${flag}=${word}`])[name], true, word);
    }
    for (const word of ["off", "false", "0", "no", "Off"]) {
      assertEquals(settings([], { [variable]: word })[name], false, word);
      assertEquals(settings([`--${flag}=${word}`])[name], false, word);
    }
    assertEquals(settings([`--${flag}`], { [variable]: "off" })[name], true);
    assertEquals(settings([`--no-${flag}`], { [variable]: "on" })[name], false);
  });

  Deno.test(`readInvocation() takes no other word for --${flag}`, () => {
    for (const word of ["maybe", "2", "-1", "onn"]) {
      assertEquals(
        complaint([], { [variable]: word }),
        `${variable} must be on/off, true/false, 1/0 or yes/no, not "${word}"`,
      );
      assertEquals(
        complaint([`--${flag}=${word}`]),
        `--${flag} must be on/off, true/false, 1/0 or yes/no, not "${word}"`,
      );
    }
  });
}

/** Flag, variable, the numbers that are none of its, and what it says. */
const NUMBERS = [
  ["port", "PORT", ["-1", "65536", "x", "1.5"], "from 0 to 65535"],
  ["tls-port", "TLS_PORT", ["-1", "65536", "off"], "from 0 to 65535"],
  ["auth-timeout", "AUTH_TIMEOUT", ["0", "2147483648"], "from 1 to 2147483647"],
  ["idle-timeout", "IDLE_TIMEOUT", ["0", "1e3"], "from 1 to 2147483647"],
  ["max-auth-failures", "MAX_AUTH_FAILURES", ["0", "-3"], "of at least 1"],
  ["max-size", "MAX_SIZE", ["0", "25M", "0x10"], "of at least 1"],
  ["max-connections", "MAX_CONNECTIONS", ["0", "", "١"], "of at least 1"],
] as const;

for (const [flag, variable, values, range] of NUMBERS) {
  Deno.test(`readInvocation() takes for --${flag} a whole number ${range} only`, () => {
    for (const value of values.filter((value) => value !== "")) {
      const rule = `must be a whole number ${range}, not "${value}"`;
      assertEquals(complaint([`--${flag}=${value}`]), `--${flag} ${rule}`);
      assertEquals(
        complaint([], { [`MEOWMAIL_SMTP_${variable}`]: value }),
        `MEOWMAIL_SMTP_${variable} ${rule}`,
      );
    }
  });
}

Deno.test("readInvocation() wants a value for each flag that takes one", () => {
  for (const [flag] of [...ROWS, ...NUMBERS]) {
    assertEquals(complaint([`--${flag}=`]), `--${flag} needs a value`);
    assertEquals(complaint([`--${flag}`]), `--${flag} needs a value`);
  }
});

Deno.test("readInvocation() takes a flag for no other flag's value", () => {
  assertEquals(
    complaint(["--hostname", "--port", "0"]),
    "--hostname needs a value",
  );
});

Deno.test("readInvocation() never takes --no-allow-insecure-auth=… for on", () => {
  for (const word of ["true", "yes", "no", "off", "x"]) {
    let on: boolean;
    try {
      on = settings([`--no-allow-insecure-auth=${word}`]).allowInsecureAuth;
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      continue;
    }
    assertEquals(on, false, word);
  }
});

Deno.test("readInvocation() does not ignore what stands behind --", () => {
  // `deno task start -- --port 587`, as npm wants it, hands the `--` on.
  complaint(["--", "--port", "x"]);
  complaint(["--", "something"]);
});
