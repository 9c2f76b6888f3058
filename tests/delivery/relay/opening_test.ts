import { assertEquals } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import {
  FakeHop,
  helloReply,
  newRelaySession,
  PASSWORD_LOGIN,
  type RelaySessionOptions,
  TOKEN_LOGIN,
} from "../../support/relay_session.ts";

const EHLO = "EHLO relay.example.net";
const PLAIN = `AUTH PLAIN ${base64("\0ann\0secret")}`;
const XOAUTH2 = `AUTH XOAUTH2 ${
  base64("user=ann@example.org\x01auth=Bearer t0ken\x01\x01")
}`;
const REQUIRED: RelaySessionOptions = { rules: { tlsRequired: true } };
const PASSWORD: RelaySessionOptions = { rules: { login: PASSWORD_LOGIN } };
const TOKEN: RelaySessionOptions = { rules: { login: TOKEN_LOGIN } };

/**
 * How sessions begin: what the next hop says, the line that we say to it, in
 * turns, and how it ends.
 */
const OPENINGS = {
  "without anything": [{}, [
    ["220 hop\r\n", EHLO],
    [helloReply(), null],
  ], "opened"],
  "with an old server": [{}, [
    ["220-hop\r\n220 since 1982\r\n", EHLO],
    ["502 5.5.1 What?\r\n", "HELO relay.example.net"],
    ["250 hop\r\n", null],
  ], "opened"],
  "with STARTTLS where it is offered": [{}, [
    ["220 hop\r\n", EHLO],
    [helloReply("STARTTLS", "PIPELINING"), "STARTTLS"],
    ["220 go\r\n", EHLO],
    [helloReply("STARTTLS"), null],
  ], "startTls opened"],
  "with STARTTLS in lower case": [REQUIRED, [
    ["220 hop\r\n", EHLO],
    [helloReply("starttls"), "STARTTLS"],
    ["220 go\r\n", EHLO],
    [helloReply(), null],
  ], "startTls opened"],
  "over TLS with PLAIN": [{ ...PASSWORD, peer: { tls: true } }, [
    ["220 hop\r\n", EHLO],
    [helloReply("STARTTLS", "AUTH LOGIN PLAIN"), PLAIN],
    ["235 in\r\n", null],
  ], "opened"],
  "on loopback with LOGIN": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("auth cram-md5 login"), "AUTH LOGIN"],
    ["334 VXNlcm5hbWU6\r\n", base64("ann")],
    ["334 UGFzc3dvcmQ6\r\n", base64("secret")],
    ["235 2.7.0 in\r\n", null],
  ], "opened"],
  "with PLAIN in the form of old drafts, and on two lines": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH=LOGIN", "AUTH=PLAIN"), PLAIN],
    ["235 in\r\n", null],
  ], "opened"],
  "with PLAIN beside another line of mechanisms": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN", "AUTH XOAUTH2"), PLAIN],
    ["235 in\r\n", null],
  ], "opened"],
  "with PLAIN where no initial response is read": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN"), PLAIN],
    ["334 \r\n", base64("\0ann\0secret")],
    ["235 in\r\n", null],
  ], "opened"],
  "with LOGIN where PLAIN is offered and cannot be": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN LOGIN"), PLAIN],
    ["504 5.5.4 no such mechanism\r\n", "AUTH LOGIN"],
    ["334 VXNlciBOYW1lAA==\r\n", base64("ann")],
    ["334 UGFzc3dvcmQA\r\n", base64("secret")],
    ["235 in\r\n", null],
  ], "opened"],
  "with STARTTLS and XOAUTH2": [
    { ...TOKEN, peer: { loopback: false } },
    [
      ["220 hop\r\n", EHLO],
      [helloReply("AUTH PLAIN", "STARTTLS"), "STARTTLS"],
      ["220 go\r\n", EHLO],
      [helloReply("AUTH PLAIN XOAUTH2"), XOAUTH2],
      ["235 in\r\n", null],
    ],
    "startTls getToken opened",
  ],

  "anew where STARTTLS is offered and cannot be": [
    { peer: { encryptable: false } },
    [
      ["220 hop\r\n", EHLO],
      [helloReply("STARTTLS"), null],
    ],
    "redial",
  ],

  "refused by the greeting": [{}, [
    ["554 5.7.1 Your address is listed\r\n", null],
  ], "relay-unreachable: 554 5.7.1 Your address is listed"],
  "refused by a 421 greeting": [{}, [
    ["421 4.3.2-full\r\n", null],
  ], "relay-unreachable: 421 4.3.2-full"],
  "refused at EHLO and HELO": [{}, [
    ["220 hop\r\n", EHLO],
    ["550 no\r\n", "HELO relay.example.net"],
    ["550 no\r\n", null],
  ], "relay-unreachable: 550 no"],
  "refused at EHLO for now": [{}, [
    ["220 hop\r\n", EHLO],
    ["451 later\r\n", null],
  ], "relay-unreachable: 451 later"],
  "without the STARTTLS that must be": [REQUIRED, [
    ["220 hop\r\n", EHLO],
    [helloReply("PIPELINING"), null],
  ], "relay-tls: the next hop does not offer STARTTLS"],
  "with a STARTTLS that is not there": [{}, [
    ["220 hop\r\n", EHLO],
    [helloReply("STARTTLS"), "STARTTLS"],
    ["454 4.7.0 not now\r\n", null],
  ], "relay-tls: 454 4.7.0 not now"],
  "without TLS for the password": [
    { ...PASSWORD, peer: { loopback: false } },
    [
      ["220 hop\r\n", EHLO],
      [helloReply("AUTH PLAIN"), null],
    ],
    "relay-tls: credentials are not sent without TLS",
  ],
  "without a mechanism for the password": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH CRAM-MD5 XOAUTH2"), null],
  ], "relay-credentials: the next hop offers CRAM-MD5 XOAUTH2"],
  "without a mechanism for the token": [TOKEN, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN"), null],
  ], "relay-credentials: the next hop offers PLAIN"],
  "without AUTH": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply(), null],
  ], "relay-credentials: the next hop offers no mechanism"],
  // The server repeats what it was told: that is not for the log.
  "with a wrong password": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN"), PLAIN],
    ["535 5.7.8 secret is wrong\r\n", null],
  ], "relay-credentials: 535 5.7.8"],
  "with a challenge too many": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN"), PLAIN],
    ["334 \r\n", base64("\0ann\0secret")],
    ["334 \r\n", null],
  ], "relay-credentials: 334"],
  "with a wrong password, which is not tried in another way": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH PLAIN LOGIN"), PLAIN],
    ["535 5.7.8 no\r\n", null],
  ], "relay-credentials: 535 5.7.8"],
  "with a login that fails for now": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH LOGIN"), "AUTH LOGIN"],
    ["454 4.7.0 secret\r\n", null],
  ], "relay-credentials: 454 4.7.0"],
  "with a token that is refused": [TOKEN, [
    ["220 hop\r\n", EHLO],
    [helloReply("AUTH XOAUTH2"), XOAUTH2],
    ["334 eyJzdGF0dXMiOiI0MDAifQ==\r\n", ""],
    ["535 5.7.3 no\r\n", null],
  ], "getToken relay-credentials: 535 5.7.3"],
  "with what is no SMTP": [{}, [
    ["SSH-2.0-OpenSSH\r\n", null],
  ], "relay-protocol: this is no reply"],
  // A reply that was there before its command was not made for it.
  "with a reply behind the greeting": [{}, [
    [`220 hop\r\n${helloReply()}`, null],
  ], "relay-protocol: a reply has come before its command"],
  "with half a reply behind the greeting": [{}, [
    ["220 hop\r\n2", null],
  ], "relay-protocol: a reply has come before its command"],
  "with a reply behind that to EHLO": [PASSWORD, [
    ["220 hop\r\n", EHLO],
    [`${helloReply("AUTH PLAIN")}235 in\r\n`, null],
  ], "relay-protocol: a reply has come before its command"],
  "with a reply behind the offer of STARTTLS": [{}, [
    ["220 hop\r\n", EHLO],
    [`${helloReply("STARTTLS")}220 go\r\n`, null],
  ], "relay-protocol: a reply has come before its command"],
} as const satisfies Readonly<
  Record<
    string,
    readonly [
      RelaySessionOptions,
      readonly (readonly [string, string | null])[],
      string,
    ]
  >
>;

function lineOf(text: string | null): string {
  return text === null ? "" : `${text}\r\n`;
}

for (const [how, [options, turns, end]] of Object.entries(OPENINGS)) {
  Deno.test(`RelaySession begins ${how}`, () => {
    const hop = new FakeHop(newRelaySession(options));
    for (const [theirs, ours] of turns) {
      assertEquals(hop.say(theirs), lineOf(ours), theirs);
    }
    const kinds = hop.kinds.filter((kind) => kind !== "failed");
    assertEquals([...kinds, hop.failure].join(" ").trimEnd(), end);
  });
}

Deno.test("RelaySession begins in the same way wherever packets end", () => {
  for (const [how, [options, turns, end]] of Object.entries(OPENINGS)) {
    // What comes too early comes in one packet with what comes in time.
    if (end.includes("before its command")) continue;
    const hop = new FakeHop(newRelaySession(options));
    for (const [theirs, ours] of turns) {
      assertEquals(hop.say(theirs, 1), lineOf(ours), how);
    }
    const kinds = hop.kinds.filter((kind) => kind !== "failed");
    assertEquals([...kinds, hop.failure].join(" ").trimEnd(), end, how);
  }
});

Deno.test("RelaySession.afterTls() knows nothing that came in plain text", () => {
  const hop = new FakeHop(newRelaySession(PASSWORD));
  hop.say("220 hop\r\n");
  hop.say(helloReply("STARTTLS", "AUTH PLAIN", "SMTPUTF8"));
  // CVE-2021-38371: replies to commands that are yet to come.
  const injected = `220 go\r\n${helloReply("AUTH LOGIN")}235 in\r\n250 `;
  assertEquals(hop.say(injected), `${EHLO}\r\n`);
  assertEquals([...hop.session.extensions], []);
  assertEquals(hop.say(helloReply("AUTH PLAIN")), `${PLAIN}\r\n`);
  assertEquals([...hop.session.extensions.keys()], ["AUTH"]);
  hop.say("235 in\r\n");
  assertEquals(hop.kinds, ["startTls", "opened"]);
});
