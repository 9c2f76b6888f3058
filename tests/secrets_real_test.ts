import { assertEquals, assertNotEquals } from "./support/assert.ts";
import { disguises, filesUnder, findSecret, place } from "./support/canary.ts";
import { testCertificate } from "./support/certificate.ts";
import { eventually } from "./support/eventually.ts";
import { serveHttp } from "./support/http_end.ts";
import {
  type Listener,
  type ListenerOptions,
  runCommand,
  startListener,
} from "./support/listener.ts";
import { base64, octetsOf } from "./support/octets.ts";
import { holdRefusedPort, serveRaw } from "./support/raw_end.ts";
import { type ConnectOptions, plain, SmtpClient } from "../testing/client.ts";
import { newTestEndpoint } from "../testing/endpoint.ts";

const USER = "ann@example.org";

/** A part of every password here, the wrong ones too: it is looked for. */
const CANARY = "Zq7\"\\%2B&'ö=canary/9 xK>";

const RIGHT = `${CANARY}-1`;
const WRONG = `x${CANARY}`;

/** A part of the bearer token. */
const TOKEN_CANARY = "tok3n.Canary_~+/vW==";

/** Something that a client does with a password. */
interface Deed {
  readonly name: string;
  /** What it says at first: mostly a greeting. */
  readonly greeting?: readonly string[];
  /** Each line waits for its reply; a line of octets has no CRLF added. */
  readonly lines: readonly (string | Uint8Array)[];
  /** It leaves without a word, not with QUIT. */
  readonly leaves?: boolean;
}

const EHLO = ["EHLO client.example.net"] as const;
const b64 = (text: string) => base64(text);
const raw = (text: string) => new Uint8Array(octetsOf(text));

/** What clients do in good faith, by mistake, and to see what happens. */
const DEEDS: readonly Deed[] = [
  { name: "PLAIN", lines: [`AUTH PLAIN ${plain(USER, RIGHT)}`] },
  { name: "PLAIN in two", lines: ["AUTH PLAIN", plain(USER, RIGHT)] },
  { name: "LOGIN", lines: ["AUTH LOGIN", b64(USER), b64(RIGHT)] },
  { name: "LOGIN at once", lines: [`AUTH LOGIN ${b64(USER)}`, b64(RIGHT)] },
  { name: "wrong PLAIN", lines: [`AUTH PLAIN ${plain(USER, WRONG)}`] },
  { name: "wrong LOGIN", lines: ["AUTH LOGIN", b64(USER), b64(WRONG)] },
  { name: "wrong user", lines: [`AUTH PLAIN ${plain("nobody", RIGHT)}`] },
  {
    name: "wrong three times",
    lines: [WRONG, WRONG, WRONG].map((password) =>
      `AUTH PLAIN ${plain(USER, password)}`
    ),
    leaves: true,
  },
  {
    name: "a message",
    lines: [
      `AUTH PLAIN ${plain(USER, RIGHT)}`,
      "MAIL FROM:<ann@example.org>",
      "RCPT TO:<bob@example.net>",
      "DATA",
      raw("Subject: x\r\n\r\ny\r\n.\r\n"),
      `AUTH PLAIN ${plain(USER, RIGHT)}`,
    ],
  },
  {
    name: "in a transaction",
    lines: [
      `AUTH PLAIN ${plain(USER, RIGHT)}`,
      "MAIL FROM:<ann@example.org>",
      `AUTH PLAIN ${plain(USER, WRONG)}`,
      `AUTH LOGIN ${b64(WRONG)}`,
    ],
  },
  { name: "cancelled", lines: ["AUTH LOGIN", b64(USER), "*"] },
  {
    name: "cancelled, and said nevertheless",
    lines: ["AUTH LOGIN", b64(USER), "*", b64(RIGHT)],
  },
  { name: "in clear", lines: ["AUTH LOGIN", b64(USER), RIGHT] },
  { name: "in clear, PLAIN", lines: ["AUTH PLAIN", `${USER} ${RIGHT}`] },
  { name: "in clear as initial response", lines: [`AUTH PLAIN ${RIGHT}`] },
  {
    name: "no padding",
    lines: [`AUTH PLAIN ${plain(USER, `${RIGHT}x`).replace(/=+$/, "")}`],
  },
  { name: "junk", lines: [`AUTH PLAIN ${plain(USER, RIGHT)}!`] },
  { name: "more words", lines: [`AUTH PLAIN ${plain(USER, RIGHT)} ${RIGHT}`] },
  { name: "no NUL", lines: [`AUTH PLAIN ${b64(RIGHT)}`] },
  { name: "one NUL", lines: [`AUTH PLAIN ${b64(`${USER}\0${RIGHT}`)}`] },
  { name: "three NULs", lines: [`AUTH PLAIN ${b64(`\0${USER}\0${RIGHT}\0`)}`] },
  { name: "no user", lines: [`AUTH PLAIN ${plain("", RIGHT)}`] },
  {
    name: "another authzid",
    lines: [`AUTH PLAIN ${plain(USER, RIGHT, "boss")}`],
  },
  {
    name: "Latin-1",
    lines: [`AUTH PLAIN ${btoa(`\0${USER}\0${RIGHT}`)}`],
  },
  {
    name: "Latin-1, LOGIN",
    lines: ["AUTH LOGIN", b64(USER), btoa(RIGHT)],
  },
  {
    name: "too long a line",
    lines: [`AUTH PLAIN ${b64(RIGHT.repeat(1000))}`, `AUTH PLAIN`, "*"],
  },
  {
    name: "too long a response",
    lines: ["AUTH PLAIN", b64(RIGHT.repeat(1000))],
  },
  {
    name: "a bare line feed",
    lines: [raw(`AUTH PLAIN ${plain(USER, RIGHT)}\nNOOP\r\n`)],
  },
  {
    name: "a mechanism that there is not, and the rest as commands",
    lines: ["AUTH CRAM-MD5", b64(USER), b64(RIGHT), RIGHT],
  },
  { name: "as a mechanism", lines: [`AUTH ${b64(RIGHT)}`] },
  { name: "as a mechanism, in clear", lines: [`AUTH ${RIGHT}`] },
  { name: "as a command", lines: [RIGHT, `PASS ${RIGHT}`, b64(RIGHT)] },
  {
    name: "before EHLO, and the rest as commands",
    greeting: [],
    lines: ["AUTH LOGIN", b64(USER), b64(RIGHT), plain(USER, RIGHT)],
  },
  {
    name: "as an unknown parameter",
    lines: [
      `AUTH PLAIN ${plain(USER, RIGHT)}`,
      `MAIL FROM:<ann@example.org> PASS=${b64(RIGHT)}`,
    ],
  },
  { name: "gone before the password", lines: ["AUTH LOGIN"], leaves: true },
  {
    name: "gone in the middle of the password",
    lines: ["AUTH LOGIN", b64(USER), raw(b64(RIGHT))],
    leaves: true,
  },
  {
    name: "gone behind an initial response",
    lines: [raw(`AUTH PLAIN ${plain(USER, RIGHT)}\r\n`)],
    leaves: true,
  },
  {
    name: "an HTTP request",
    greeting: [],
    lines: [raw(`GET /?password=${encodeURIComponent(RIGHT)} HTTP/1.1\r\n`)],
    leaves: true,
  },
];

/** A token with its own canary in it, and in base64, as the mechanisms have it. */
const ACCESS_TOKEN = `eyJhbGciOiJFUzI1NiJ9.${TOKEN_CANARY}`;
const bearer = `auth=Bearer ${ACCESS_TOKEN}\x01\x01`;
const XOAUTH2 = b64(`user=${USER}\x01${bearer}`);
const OAUTHBEARER = b64(`n,a=${USER},\x01host=a\x01${bearer}`);

/** The same with tokens; where one is refused a line follows the error. */
const TOKEN_DEEDS: readonly Deed[] = [
  { name: "XOAUTH2", lines: [`AUTH XOAUTH2 ${XOAUTH2}`] },
  { name: "XOAUTH2 in two", lines: ["AUTH XOAUTH2", XOAUTH2] },
  { name: "OAUTHBEARER", lines: [`AUTH OAUTHBEARER ${OAUTHBEARER}`] },
  { name: "OAUTHBEARER in two", lines: ["AUTH OAUTHBEARER", OAUTHBEARER] },
  {
    name: "without a name",
    lines: [`AUTH OAUTHBEARER ${b64(`n,,\x01${bearer}`)}`],
  },
  {
    name: "said again for the dummy, and as a command",
    lines: [`AUTH XOAUTH2 ${XOAUTH2}`, XOAUTH2, XOAUTH2],
  },
  { name: "cancelled", lines: [`AUTH XOAUTH2 ${XOAUTH2}`, "*", XOAUTH2] },
  { name: "cut", lines: [`AUTH XOAUTH2 ${XOAUTH2.slice(0, -4)}`] },
  { name: "junk", lines: [`AUTH OAUTHBEARER ${OAUTHBEARER}!`] },
  { name: "in clear", lines: ["AUTH XOAUTH2", ACCESS_TOKEN] },
  { name: "as initial response", lines: [`AUTH XOAUTH2 ${ACCESS_TOKEN}`] },
  { name: "as a mechanism", lines: [`AUTH ${ACCESS_TOKEN}`] },
  { name: "the other's message", lines: [`AUTH OAUTHBEARER ${XOAUTH2}`] },
  {
    name: "as the user name",
    lines: [`AUTH XOAUTH2 ${b64(`user=${ACCESS_TOKEN}`)}`],
  },
  {
    name: "gone in the middle",
    lines: ["AUTH XOAUTH2", raw(XOAUTH2)],
    leaves: true,
  },
  {
    name: "gone before the dummy",
    lines: [raw(`AUTH XOAUTH2 ${XOAUTH2}\r\n`)],
    leaves: true,
  },
];

/** Does one of them; returns all that the server said. */
async function doDeed(
  deed: Deed,
  open: () => Promise<SmtpClient>,
): Promise<string> {
  using client = await open();
  for (const line of deed.greeting ?? EHLO) await client.command(line, "250");
  const last = deed.lines.length - 1;
  for (const [i, line] of deed.lines.entries()) {
    if (typeof line === "string") await client.send(line);
    else await client.sendRaw(line);
    if (i < last || deed.leaves !== true) await client.reply();
  }
  if (deed.leaves !== true) await client.send("QUIT");
  await client.closeWrite();
  await client.rest();
  return client.heard;
}

/** Does them all at the same time. */
async function doAll(
  open: () => Promise<SmtpClient>,
  deeds: readonly Deed[] = DEEDS,
): Promise<string> {
  const results = await Promise.allSettled(
    deeds.map((deed) => doDeed(deed, open)),
  );
  return results.map((result, i) => {
    if (result.status === "fulfilled") return result.value;
    throw new Error(`At ${deeds[i]?.name}`, { cause: result.reason });
  }).join("");
}

async function connected(
  port: number,
  options?: ConnectOptions,
): Promise<SmtpClient> {
  const client = await SmtpClient.open(port, options);
  await client.expect("220");
  return client;
}

/** Everything that a listener leaves behind. */
function leftBy(listener: Listener, heard: string): Record<string, string> {
  return {
    stdout: place(listener.stdout()),
    stderr: place(listener.stderr()),
    "the replies": place(heard),
    ...filesUnder(listener.folder),
  };
}

function assertNoSecret(places: Readonly<Record<string, string>>): void {
  assertEquals(findSecret(CANARY, places), []);
  assertEquals(findSecret(TOKEN_CANARY, places), []);
}

const LOCAL: ListenerOptions = {
  env: {
    MEOWMAIL_SMTP_USER: USER,
    MEOWMAIL_SMTP_PASS: RIGHT,
    // Deeds shall not end early, but for the one that is about this.
    MEOWMAIL_SMTP_MAX_AUTH_FAILURES: "3",
  },
};

Deno.test("findSecret() finds a secret in every disguise, and none where there is none", () => {
  const message = `\0${USER}\0${RIGHT}`;
  const texts = [
    RIGHT,
    JSON.stringify({ password: RIGHT }),
    JSON.stringify(JSON.stringify({ password: RIGHT })),
    plain(USER, RIGHT),
    plain(`${USER}x`, RIGHT),
    plain(`${USER}xx`, RIGHT),
    b64(RIGHT),
    b64(WRONG),
    `https://a.example/?p=${encodeURIComponent(RIGHT)}`,
    new URLSearchParams({ p: RIGHT }).toString(),
    [...octetsOf(message)].map((o) => o.toString(16).padStart(2, "0")).join(""),
    String(octetsOf(message)),
    Deno.inspect({ RIGHT }),
  ];
  for (const text of texts) {
    assertNotEquals(findSecret(CANARY, { here: place(text) }), [], text);
  }
  assertEquals(findSecret(CANARY, { here: b64("something else") }), []);
  for (const [name, form] of disguises(CANARY)) {
    assertEquals(form.length > 20, true, name);
  }
});

for (const log of ["json", "text"] as const) {
  Deno.test(`main.ts shows no password to anybody, whatever clients do, --log ${log}`, async () => {
    await using listener = await startListener({
      ...LOCAL,
      args: ["--log", log],
    });
    const heard = await doAll(() => connected(listener.port));
    await listener.stop();
    assertNoSecret(leftBy(listener, heard));
  });

  Deno.test(`main.ts shows no password to anybody over TLS and in front of it, --log ${log}`, async () => {
    const certificate = await testCertificate();
    const trusted = certificate.cert;
    await using listener = await startListener({
      ...LOCAL,
      certificate,
      args: ["--log", log],
    });
    const overTls = await doAll(() => connected(listener.tlsPort, { trusted }));
    const overStartTls = await doAll(async () => {
      const client = await connected(listener.port);
      await client.startTls(trusted);
      return client;
    });
    // Refused with 538: clients that do not look say it all nevertheless.
    const blind = DEEDS.filter(({ name }) => name !== "a message")
      .map((deed) => ({ ...deed, leaves: false }))
      .filter(({ lines }) => lines.every((line) => typeof line === "string"));
    const inFront = await doAll(() => connected(listener.port), blind);
    await listener.stop();
    assertNoSecret(leftBy(listener, overTls + overStartTls + inFront));
  });
}

Deno.test("main.ts shows no password when it ends an exchange itself: idle, or on SIGTERM", async () => {
  await using listener = await startListener({
    ...LOCAL,
    args: ["--idle-timeout", "300"],
  });
  using idle = await connected(listener.port);
  await idle.sendRaw(
    `EHLO a\r\nAUTH LOGIN\r\n${b64(USER)}\r\n${b64(RIGHT)}`,
  );
  await idle.expect("250", "334", "334", "421");
  using stopped = await connected(listener.port);
  await stopped.sendRaw(
    `EHLO a\r\nAUTH LOGIN\r\n${b64(USER)}\r\n${b64(RIGHT)}`,
  );
  await stopped.expect("250", "334", "334");
  listener.signal("SIGTERM");
  await stopped.expect("421");
  idle.close();
  stopped.close();
  await listener.status;
  assertNoSecret(leftBy(listener, idle.heard + stopped.heard));
});

/** The deeds that bring the endpoint into play. */
const ASKING = DEEDS.filter(({ name }) =>
  /^(PLAIN|LOGIN|LOGIN at once|wrong .*|gone behind .*)$/.test(name)
);

/** Endpoints that fail, and some that tell all that they were told. */
const ENDPOINTS: readonly (readonly [
  string,
  (body: string) => Response | Promise<Response>,
])[] = [
  ["says yes", () => Response.json({ ok: true })],
  ["says no", () => Response.json({ ok: false })],
  [
    "repeats the request in a 500",
    (body) => new Response(body, { status: 500 }),
  ],
  ["repeats the request in a 200", (body) => new Response(body)],
  [
    "repeats the request in what is no JSON",
    (body) => new Response(body.slice(1)),
  ],
  [
    "repeats the password in a header",
    (body) =>
      new Response("", { headers: { "x-body": encodeURIComponent(body) } }),
  ],
  ["repeats the request in a redirect", (body) =>
    new Response(null, {
      status: 307,
      headers: { location: `http://a.example/?${encodeURIComponent(body)}` },
    })],
  ["repeats the request in a bad redirect", (body) =>
    new Response(body, {
      status: 302,
      headers: { location: `http://${encodeURIComponent(body)}:x/` },
    })],
  ["says too much", (body) => new Response(body.repeat(1000))],
];

/** Lets clients try an endpoint and looks for what they said. */
async function assertEndpointHidesSecrets(
  authUrl: string,
  timeoutMs: number,
): Promise<void> {
  await using listener = await startListener({
    authUrl,
    args: ["--auth-timeout", String(timeoutMs)],
    env: { MEOWMAIL_SMTP_AUTH_TOKEN: TOKEN_CANARY },
  });
  const heard = await doAll(() => connected(listener.port), ASKING);
  await eventually("every AUTH is in the log", () => {
    const log = listener.stderr().match(/"event":"auth"/g) ?? [];
    return log.length >= ASKING.length;
  });
  await listener.stop();
  assertNoSecret(leftBy(listener, heard));
}

for (const [name, answer] of ENDPOINTS) {
  Deno.test(`main.ts shows neither password nor token when the endpoint ${name}`, async () => {
    await using end = serveHttp(({ body }) => answer(body));
    await assertEndpointHidesSecrets(end.url, 20_000);
    assertEquals(new Set(end.requests.map(({ target }) => target)).size, 1);
    for (const { target, headers } of end.requests) {
      const shown = [...headers].filter(([name]) => name !== "authorization");
      assertNoSecret({ target, headers: JSON.stringify(shown) });
      assertEquals(headers.get("authorization"), `Bearer ${TOKEN_CANARY}`);
    }
  });
}

for (const log of ["json", "text"] as const) {
  Deno.test(`main.ts shows no access token to anybody, whatever clients do, --log ${log}`, async () => {
    const answers: readonly (() => Response)[] = [
      () => Response.json({ ok: true }),
      () => Response.json({ ok: false, tokenError: { status: "invalid" } }),
      () => Response.json({ ok: false, tokenError: ACCESS_TOKEN }),
      () => new Response(ACCESS_TOKEN, { status: 500 }),
    ];
    for (const answer of answers) {
      await using end = serveHttp(answer);
      await using listener = await startListener({
        authUrl: end.url,
        args: [
          ...["--log", log, "--no-throttle"],
          ...["--mechanisms", "PLAIN,LOGIN,XOAUTH2,OAUTHBEARER"],
        ],
      });
      const heard = await doAll(() => connected(listener.port), TOKEN_DEEDS);
      await listener.stop();
      assertNoSecret(leftBy(listener, heard));
    }
  });
}

Deno.test("main.ts shows neither password nor token when the endpoint hangs", async () => {
  await using end = await newTestEndpoint();
  await end.break("hang");
  await assertEndpointHidesSecrets(end.url, 20);
});

Deno.test("main.ts shows neither password nor token when nobody listens, speaks TLS or answers in HTTP", async () => {
  using nobody = await holdRefusedPort();
  await using garbage = serveRaw(async (connection) => {
    try {
      await connection.readRequest();
      await connection.send("SSH-2.0-x\r\n\r\n");
    } catch {
      // One of the clients leaves, and the listener with it.
    }
    connection.close();
  });
  await using reset = serveRaw((connection) => connection.reset());
  for (
    const url of [
      `http://${nobody.host}/`,
      `https://${reset.host}/`,
      `http://${garbage.host}/`,
      `http://${reset.host}/`,
    ]
  ) {
    await assertEndpointHidesSecrets(url, 20_000);
  }
});

Deno.test("main.ts shows no secret that stands in settings that it refuses", async () => {
  const inUrl = encodeURIComponent(CANARY);
  const url = `https://ann:${inUrl}@a.example/`;
  const settings = [
    { args: ["--auth-url", url] },
    { args: [`--auth-url=${url}`] },
    { args: ["--auth-url", url.replace("https", "ftp")] },
    { args: ["--auth-url", `https://ann:${CANARY}@a.example/`] },
    { env: { MEOWMAIL_SMTP_AUTH_URL: url } },
    { env: { MEOWMAIL_SMTP_PASS: RIGHT } },
    { env: { MEOWMAIL_SMTP_AUTH_TOKEN: TOKEN_CANARY } },
    {
      env: {
        MEOWMAIL_SMTP_AUTH_URL: "https://a.example/",
        MEOWMAIL_SMTP_AUTH_TOKEN: CANARY,
      },
    },
    {
      args: ["--auth-dovecot", "/run/auth", "--auth-url", "https://a.example/"],
      env: { MEOWMAIL_SMTP_USER: USER, MEOWMAIL_SMTP_PASS: RIGHT },
    },
    { args: ["--auth-token", TOKEN_CANARY] },
    { args: [`--pass=${RIGHT}`] },
    { args: [RIGHT] },
  ];
  for (const options of settings) {
    const { code, stdout, stderr } = await runCommand(options);
    assertEquals(code, 2, stderr);
    assertNoSecret({ stdout: place(stdout), stderr: place(stderr) });
  }
});
