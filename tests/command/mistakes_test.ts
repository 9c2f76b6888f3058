import { FLAG_NAMES, flagOf, variableOf } from "../../command/flags/table.ts";
import type { Settings } from "../../command/settings.ts";
import { UsageError } from "../../command/values.ts";
import { assertEquals, assertFalse, assertThrows } from "../support/assert.ts";
import { complaint, type Given, settings } from "../support/invocation.ts";

/** A flag, values that are none of its, and what is accepted. */
const REFUSED: readonly (readonly [
  keyof Settings,
  readonly string[],
  string,
])[] = [
  [
    "port",
    ["-1", "65536", "x", "1.5"],
    "a whole number from 0 to 65535, or off",
  ],
  ["tlsPort", ["-1", "65536", "on"], "a whole number from 0 to 65535, or off"],
  [
    "maxRecipientsPerDay",
    ["0", "none"],
    "a whole number of at least 1, or off",
  ],
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
