import { helpText } from "../../command/help.ts";
import config from "../../deno.json" with { type: "json" };
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { testCertificate } from "../support/certificate.ts";
import { hasIPv6 } from "../support/ipv6.ts";
import { serveHttp } from "../support/http_end.ts";
import {
  type CommandOptions,
  type Listener,
  type ListenerOptions,
  PASSWORD,
  runCommand,
  startListener,
  temporaryFolder,
  USER,
} from "../support/listener.ts";
import { SmtpClient } from "../../testing/client.ts";
import { newTestEndpoint } from "../../testing/endpoint.ts";

Deno.test("main.ts --help prints the help and exits with 0, without any permission", async () => {
  const { code, stdout, stderr } = await runCommand({
    args: ["--help"],
    permissions: [],
  });
  assertEquals([code, stdout, stderr], [0, helpText(), ""]);
});

Deno.test("main.ts --version prints the version of deno.json and exits with 0", async () => {
  const { code, stdout, stderr } = await runCommand({ args: ["--version"] });
  assertEquals([code, stdout, stderr], [0, `${config.version}\n`, ""]);
});

/** Runs what cannot run and checks that it says so as it should. */
async function complaint(
  status: number,
  options: CommandOptions,
): Promise<string> {
  const result = await runCommand(options);
  assertEquals(result.code, status, result.stderr);
  assertMatch(result.stderr, /^error: [^\n]+\n$/, "one line");
  assertEquals(result.stdout, "");
  return result.stderr;
}

Deno.test("main.ts says in one line what is wrong with flags and variables and exits with 2", async () => {
  const flag = await complaint(2, { args: ["--prot", "25"] });
  assertEquals(flag, "error: unknown flag --prot: did you mean --port?\n");
  const variable = await complaint(2, {
    args: ["--host", "0.0.0.0"],
    env: { MEOWMAIL_SMTP_AUTH_URI: "https://ann:s3cret@a.example/" },
  });
  assertEquals(
    variable,
    "error: unknown variable MEOWMAIL_SMTP_AUTH_URI: did you mean MEOWMAIL_SMTP_AUTH_URL?\n",
  );
});

Deno.test("main.ts reads what a variable's file says, or says in one line that it can't and exits with 1", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const cwd = temporaryFolder(cleanUp);
  Deno.writeTextFileSync(`${cwd}/name`, "by-file.example.org\n");
  await using listener = await startListener({
    env: { MEOWMAIL_SMTP_HOSTNAME_FILE: "name" },
    cwd,
  });
  using client = await SmtpClient.open(listener.port);
  const { lines } = await client.expect("220");
  assertEquals(lines, ["by-file.example.org ESMTP ready"]);
  const line = await complaint(1, {
    env: { MEOWMAIL_SMTP_AUTH_TOKEN_FILE: "missing" },
    cwd,
  });
  assertEquals(
    line,
    "error: cannot read MEOWMAIL_SMTP_AUTH_TOKEN_FILE missing: No such file or directory\n",
  );
});

Deno.test("main.ts says in one line which permissions it lacks, and exits with 1", async () => {
  const lines: readonly (readonly [readonly string[], string])[] = [
    [[], "add -P, or --allow-env"],
    [
      ["--allow-env"],
      [
        "add -P, or",
        "--allow-net=127.0.0.1:0,a.example:443,unix:/x/auth,unix:/x/auth~/s",
        "--allow-read=cert.pem,key.pem,./maildir,/x/auth,/x/auth~,/etc/group",
        "--allow-write=./maildir,/x/auth,/x/auth~",
        "--allow-sys=hostname",
      ].join(" "),
    ],
    [
      ["--allow-env", "--allow-net", "--allow-read", "--allow-sys"],
      "add -P, or --allow-write=./maildir,/x/auth,/x/auth~",
    ],
  ];
  for (const [permissions, expected] of lines) {
    const line = await complaint(1, {
      permissions,
      args: [
        ...["--port", "0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"],
        ...["--auth-url", "https://a.example/", "--socket-group", "mail"],
        ...["--dovecot-socket", "/x/auth"],
      ],
    });
    assertEquals(line, `error: permissions are missing: ${expected}\n`);
  }
});

Deno.test("main.ts with a list of variables that it may read says that others are not seen", async () => {
  await using listener = await startListener({
    permissions: [
      ...["--allow-env=MEOWMAIL_SMTP_*", "--allow-net", "--allow-sys"],
      ...["--allow-read", "--allow-write"],
    ],
    env: { MEOWMAIL_SMTP_HOSTNAME: "mail.example.org" },
  });
  const [first] = listener.log();
  assertEquals(first?.level, "warn");
  assertMatch(String(first?.message), /misspelt variables.*--allow-env/);
  using client = await SmtpClient.open(listener.port);
  assertEquals((await client.expect("220")).lines, [
    "mail.example.org ESMTP ready",
  ]);
});

Deno.test("main.ts says in one line that a port is in use and exits with 1", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const line = await complaint(1, { args: ["--port", String(port)] });
  assertEquals(
    line,
    `error: cannot listen on --port 127.0.0.1:${port}: Address already in use\n`,
  );
});

/** Something about a listener that a setting changes. */
interface Observation {
  /** The flag, or the variable where there is no flag. */
  readonly setting: string;
  /** What else is needed to see it. */
  readonly options?: ListenerOptions;
  readonly env: readonly [variable: string, value: string, seen: string];
  readonly flag: readonly [args: readonly string[], seen: string];
  readonly observe: (listener: Listener) => string | Promise<string>;
}

async function said(listener: Listener, line: string): Promise<string> {
  using client = await SmtpClient.greeted(listener.port);
  await client.send(line);
  return (await client.reply()).status;
}

async function extensions(listener: Listener): Promise<readonly string[]> {
  using client = await SmtpClient.open(listener.port);
  await client.expect("220");
  return (await client.command("EHLO client.example.net", "250")).lines;
}

const OBSERVATIONS: readonly Observation[] = [
  {
    setting: "--host",
    env: ["MEOWMAIL_SMTP_HOST", "0.0.0.0", "0.0.0.0"],
    flag: [["--host", "127.0.0.1"], "127.0.0.1"],
    observe: (listener) => String(listener.log()[0]?.hostname),
  },
  {
    setting: "--hostname",
    env: [
      "MEOWMAIL_SMTP_HOSTNAME",
      "env.example.org",
      "env.example.org ESMTP ready",
    ],
    flag: [["--hostname", "flag.example.org"], "flag.example.org ESMTP ready"],
    observe: async ({ port }) => {
      using client = await SmtpClient.open(port);
      return (await client.expect("220")).lines.join();
    },
  },
  {
    setting: "--require-auth",
    env: ["MEOWMAIL_SMTP_REQUIRE_AUTH", "no", "250 2.1.0"],
    flag: [["--require-auth"], "530 5.7.0"],
    observe: (listener) => said(listener, "MAIL FROM:<>"),
  },
  {
    setting: "--max-size",
    env: ["MEOWMAIL_SMTP_MAX_SIZE", "1000", "SIZE 1000"],
    flag: [["--max-size", "2000"], "SIZE 2000"],
    observe: async (listener) =>
      (await extensions(listener)).find((line) => line.startsWith("SIZE")) ??
        "",
  },
  {
    setting: "--max-auth-failures",
    env: ["MEOWMAIL_SMTP_MAX_AUTH_FAILURES", "1", "535 421"],
    flag: [["--max-auth-failures", "2"], "535 535 421"],
    observe: async ({ port }) => {
      using client = await SmtpClient.greeted(port);
      const codes: string[] = [];
      while (codes.at(-1) !== "421") {
        if (codes.length < 2) await client.send("AUTH PLAIN AGEAYg==");
        codes.push((await client.reply()).status.slice(0, 3));
      }
      await client.expectEnd();
      return codes.filter((code) => code !== "").join(" ");
    },
  },
  {
    setting: "--max-connections",
    env: ["MEOWMAIL_SMTP_MAX_CONNECTIONS", "1", "220 421"],
    flag: [["--max-connections=2"], "220 220 421"],
    observe: async ({ port }) => {
      using clients = new DisposableStack();
      const codes: string[] = [];
      while (codes.at(-1) !== "421") {
        const client = clients.use(await SmtpClient.open(port));
        codes.push((await client.reply()).status.slice(0, 3));
      }
      return codes.join(" ");
    },
  },
  {
    setting: "--idle-timeout",
    env: ["MEOWMAIL_SMTP_IDLE_TIMEOUT", "200", "421 4.4.2"],
    // The variable of the second run would be an hour.
    flag: [["--idle-timeout", "100"], "421 4.4.2"],
    observe: async ({ port }) => {
      using client = await SmtpClient.open(port);
      await client.expect("220");
      return (await client.reply()).status;
    },
  },
  {
    setting: "--log",
    env: ["MEOWMAIL_SMTP_LOG", "text", "text"],
    flag: [["--log", "json"], "json"],
    observe: (listener) => listener.stderr().startsWith("{") ? "json" : "text",
  },
  {
    setting: "--maildir",
    env: ["MEOWMAIL_SMTP_MAILDIR", "by-env", "by-env"],
    flag: [["--maildir", "by-flag"], "by-flag"],
    observe: ({ folder }) =>
      [...Deno.readDirSync(folder)].map(({ name }) => name).join(),
  },
];

for (const { setting, options, env, flag, observe } of OBSERVATIONS) {
  Deno.test(`main.ts heeds ${env[0]}, and ${setting} wins`, async () => {
    const [variable, value, seen] = env;
    const [args, seenByFlag] = flag;
    {
      await using listener = await startListener({
        ...options,
        env: { [variable]: value },
      });
      assertEquals(await observe(listener), seen);
    }
    const other = setting === "--idle-timeout" ? "3600000" : value;
    await using listener = await startListener({
      ...options,
      args,
      env: { [variable]: other },
    });
    assertEquals(await observe(listener), seenByFlag);
  });
}

Deno.test("main.ts heeds MEOWMAIL_SMTP_ALLOW_INSECURE_AUTH, and --no-allow-insecure-auth wins", async () => {
  const certificate = await testCertificate();
  const env = { MEOWMAIL_SMTP_ALLOW_INSECURE_AUTH: "yes" };
  const args = ["--no-allow-insecure-auth"];
  await using open = await startListener({ certificate, env });
  await using shut = await startListener({ certificate, env, args });
  assert((await extensions(open)).includes("AUTH PLAIN LOGIN"));
  assertFalse((await extensions(shut)).includes("AUTH PLAIN LOGIN"));
});

Deno.test("main.ts reads the files of --tls-cert and --tls-key, which win over the environment", async () => {
  const certificate = await testCertificate();
  await using cleanUp = new AsyncDisposableStack();
  const cwd = temporaryFolder(cleanUp);
  Deno.writeTextFileSync(`${cwd}/cert.pem`, certificate.cert);
  Deno.writeTextFileSync(`${cwd}/key.pem`, certificate.key);
  await using listener = await startListener({
    args: ["--tls-cert", "cert.pem", "--tls-key", "key.pem"],
    env: {
      MEOWMAIL_SMTP_TLS_CERT: "missing.pem",
      MEOWMAIL_SMTP_TLS_KEY: "missing.pem",
    },
    cwd,
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.startTls(certificate.cert);
});

Deno.test("main.ts asks --auth-url, which wins over the environment, with the token", async () => {
  await using wrong = serveHttp(() => Response.json({ ok: false }));
  await using right = serveHttp(() => Response.json({ ok: true }));
  await using listener = await startListener({
    authUrl: wrong.url,
    args: ["--auth-url", right.url, "--auth-timeout", "20000"],
    env: { MEOWMAIL_SMTP_AUTH_TOKEN: "t0ken" },
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login("ann", "secret");
  assertEquals(wrong.requests.length, 0);
  const [request] = right.requests;
  assertEquals(request?.headers.get("authorization"), "Bearer t0ken");
});

Deno.test("main.ts waits for the endpoint as long as --auth-timeout says, which wins over the environment", async () => {
  await using end = await newTestEndpoint();
  await end.break("hang");
  await using listener = await startListener({
    authUrl: end.url,
    args: ["--auth-timeout", "100"],
    env: { MEOWMAIL_SMTP_AUTH_TIMEOUT: "3600000" },
  });
  using client = await SmtpClient.greeted(listener.port);
  await client.login("ann", "secret", "454 4.7.0");
});

Deno.test("main.ts knows the user of MEOWMAIL_SMTP_USER and MEOWMAIL_SMTP_PASS, and nobody else", async () => {
  await using listener = await startListener();
  assertEquals(listener.stdout(), "", "nothing is made up");
  using client = await SmtpClient.greeted(listener.port);
  await client.login(USER, "wrong", "535 5.7.8");
  await client.login("somebody", PASSWORD, "535 5.7.8");
  await client.login(USER, PASSWORD, "235 2.7.0");
});

Deno.test("main.ts warns once of plain text where clients on other machines are let in", async () => {
  const certificate = await testCertificate();
  const cases = [
    [["--host", "127.0.0.1"], {}, undefined],
    [["--host", "0.0.0.0"], { certificate }, undefined],
    [["--host", "0.0.0.0"], {}, /no certificate.*--tls-cert/],
    [["--host", "0.0.0.0", "--allow-insecure-auth"], { certificate }, /plain/],
  ] as const;
  for (const [args, options, warning] of cases) {
    await using listener = await startListener({ ...options, args });
    // Whoever is greeted comes after all that is said at the start.
    (await SmtpClient.greeted(listener.port)).close();
    await listener.stop();
    const warnings = listener.log().filter(({ level }) => level === "warn");
    assertEquals(warnings.length, warning === undefined ? 0 : 1);
    if (warning) assertMatch(String(warnings[0]?.message), warning);
  }
});

Deno.test({
  name: "main.ts writes IPv6 addresses in brackets where it listens",
  ignore: !hasIPv6(),
  fn: async () => {
    await using listener = await startListener({ args: ["--host", "::1"] });
    const [listening] = listener.log();
    assertStringIncludes(
      String(listening?.message),
      `listening on [::1]:${listener.port}`,
    );
  },
});
