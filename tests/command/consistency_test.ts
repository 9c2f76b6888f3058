import { assertEquals } from "../support/assert.ts";
import {
  complaint,
  ENDPOINT,
  type Given,
  PEM,
  settings,
} from "../support/invocation.ts";

const SHARED_STATE =
  "--shared-state must be memory, kv:PATH, http(s)://HOST of denokv, or redis(s)://[USER:PASSWORD@]HOST[:PORT][/DATABASE]";

/** Settings that do not fit together. */
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
