import type { RelaySession } from "../../../delivery/relay/session.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import {
  FakeHop,
  helloReply,
  MAIL,
  newRelaySession,
  openHop,
  PASSWORD_LOGIN,
  type RelaySessionOptions,
  TOKEN_LOGIN,
} from "../../support/relay_session.ts";
import { latin1 } from "../../support/session.ts";

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

Deno.test("RelaySession sends commands one by one where PIPELINING is not offered", () => {
  const hop = openHop([]);
  hop.session.rset();
  hop.session.mail(MAIL);
  hop.session.rcpt("bob@example.net");
  hop.run();
  assertEquals(hop.said, "RSET\r\n");
  assertEquals(hop.say("250 ok\r\n"), "MAIL FROM:<ann@example.org>\r\n");
  assertEquals(hop.say("250 ok\r\n"), "RCPT TO:<bob@example.net>\r\n");
  assertEquals(hop.say("550 no\r\n"), "");
  assertEquals(hop.kinds, ["rset 250", "mail 250", "rcpt 550"]);
});

Deno.test("RelaySession sends commands together where PIPELINING is offered", () => {
  const hop = openHop();
  hop.session.rset();
  hop.session.mail(MAIL);
  hop.session.rcpt("bob@example.net");
  hop.run();
  assertEquals(
    hop.said,
    "RSET\r\nMAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.net>\r\n",
  );
  assertEquals(hop.say("250 ok\r\n250 ok\r\n250 ok\r\n"), "");
  assertEquals(hop.kinds, ["rset 250", "mail 250", "rcpt 250"]);
});

Deno.test("RelaySession takes no reply that nobody has asked for", () => {
  const idle = openHop();
  idle.say("250 ok\r\n");
  assertEquals(idle.failure, "relay-protocol: unasked: 250 ok");
  const closing = openHop();
  closing.say("421 4.4.2 idle too long\r\n");
  assertEquals(closing.failure, "relay-unreachable: 421 4.4.2 idle too long");
  const early = openHop([]);
  early.session.rset();
  early.session.mail(MAIL);
  early.say("250 ok\r\n250 ok\r\n");
  assertEquals(
    early.failure,
    "relay-protocol: a reply has come before its command",
  );
});

Deno.test("RelaySession.mail() says what the next hop understands", () => {
  const parameters = { size: 1000, body: "8BITMIME", smtpUtf8: true } as const;
  const said = (
    extensions: string[],
    mail: Parameters<RelaySession["mail"]>[0],
  ) => {
    const hop = openHop(extensions);
    hop.session.mail(mail);
    hop.run();
    return hop.said;
  };
  assertEquals(said([], { ...MAIL, sender: "" }), "MAIL FROM:<>\r\n");
  assertEquals(
    said(["SIZE 0", "8BITMIME", "SMTPUTF8"], {
      ...MAIL,
      sender: "\u00e4@example.org",
      // What the client says about somebody else is not ours to say.
      parameters: { ...parameters, auth: "<>" },
    }),
    "MAIL FROM:<\u00e4@example.org> SIZE=1000 BODY=8BITMIME SMTPUTF8\r\n",
  );
  assertEquals(
    said([], { ...MAIL, parameters: { size: 1000, body: "7BIT" } }),
    "MAIL FROM:<ann@example.org>\r\n",
  );
});

/** A session whose message is under way. */
function hopInBody(): FakeHop {
  const hop = openHop();
  hop.session.data();
  hop.say("354 go\r\n");
  hop.actions.length = 0;
  return hop;
}

const text = (octets: Uint8Array) => new TextDecoder().decode(octets);

Deno.test("RelaySession stuffs and ends a message", () => {
  const hop = hopInBody();
  assertEquals(text(hop.session.body(latin1(".a\r\n.b"))), "..a\r\n..b");
  assertEquals(text(hop.session.endOfBody()), "\r\n.\r\n");
  hop.say("250 2.0.0 queued\r\n");
  assertEquals(hop.kinds, ["dot 250"]);
  hop.session.mail(MAIL);
  assertEquals(hop.say("250 ok\r\n"), "MAIL FROM:<ann@example.org>\r\n");
});

Deno.test("RelaySession takes a refusal in the middle of a message, but no success", () => {
  const refused = hopInBody();
  refused.say("552 5.3.4 too large\r\n");
  assertEquals(refused.kinds, ["dot 552", "failed"]);
  const accepted = hopInBody();
  accepted.say("250 ok\r\n");
  assertEquals(accepted.failure, "relay-protocol: unasked: 250 ok");
  const closing = hopInBody();
  closing.say("421 4.3.2 going\r\n");
  assertEquals(closing.failure, "relay-unreachable: 421 4.3.2 going");
});

/** Replies that do not fit their command, and what they mean. */
const MISFITS = [
  ["mail", "354 go", "relay-protocol: mail: 354 go"],
  ["mail", "334 go", "relay-protocol: mail: 334 go"],
  ["rcpt", "354 go", "relay-protocol: rcpt: 354 go"],
  ["data", "250 ok", "relay-protocol: data: 250 ok"],
  ["data", "334 ok", "relay-protocol: data: 334 ok"],
  ["mail", "530 5.7.0 who?", "relay-credentials: 530 5.7.0 who?"],
  ["rcpt", "535 5.7.8 who?", "relay-credentials: 535 5.7.8 who?"],
  ["data", "538 5.7.11 TLS", "relay-credentials: 538 5.7.11 TLS"],
  ["dot", "530 5.7.57 who?", "relay-credentials: 530 5.7.57 who?"],
  ["dot", "354 go on", "relay-unknown: dot: 354 go on"],
  ["dot", "what", "relay-unknown: this is no reply"],
  ["mail", "what", "relay-protocol: this is no reply"],
  ["rcpt", "421 4.7.0 no", "relay-unreachable: 421 4.7.0 no"],
  ["dot", "421 4.3.2 no", "relay-unreachable: 421 4.3.2 no"],
] as const;

/** Says a command whose reply is to come. */
const COMMANDS = {
  mail: (hop: FakeHop) => hop.session.mail(MAIL),
  rcpt: (hop: FakeHop) => hop.session.rcpt("bob@example.net"),
  data: (hop: FakeHop) => hop.session.data(),
  rset: (hop: FakeHop) => hop.session.rset(),
  quit: (hop: FakeHop) => hop.session.quit(),
  dot: (hop: FakeHop) => {
    hop.session.data();
    hop.say("354 go\r\n");
    hop.session.endOfBody();
  },
} as const;

for (const [command, reply, failure] of MISFITS) {
  Deno.test(`RelaySession fails when ${command} is answered with "${reply}"`, () => {
    const hop = openHop();
    COMMANDS[command](hop);
    hop.run();
    hop.say(`${reply}\r\n`);
    assertEquals(hop.failure, failure);
  });
}

Deno.test("RelaySession waits as long as RFC 5321 section 4.5.3.2 says", () => {
  const opening = new FakeHop();
  assertEquals(opening.session.waitMs, 300_000);
  opening.say("220 hop\r\n");
  assertEquals(opening.session.waitMs, 300_000);
  for (
    const [command, waitMs] of [
      ["mail", 300_000],
      ["rcpt", 300_000],
      ["data", 120_000],
      ["dot", 600_000],
      ["rset", 10_000],
      ["quit", 10_000],
    ] as const
  ) {
    const hop = openHop();
    assertEquals(hop.session.waitMs, undefined);
    COMMANDS[command](hop);
    assertEquals(hop.session.waitMs, waitMs, command);
  }
  assertEquals(hopInBody().session.waitMs, undefined);
});

Deno.test("RelaySession says what is lost with its connection", () => {
  for (
    const [state, hop, closed, late] of [
      ["greeting", () => new FakeHop(), "relay-unreachable", "relay-timeout"],
      ["idle", openHop, "relay-closed", "relay-timeout"],
      ["body", hopInBody, "relay-closed", "relay-timeout"],
      ...(["mail", "rcpt", "data", "rset", "quit"] as const).map((command) =>
        [
          command,
          () => {
            const hop = openHop();
            COMMANDS[command](hop);
            return hop;
          },
          "relay-closed",
          "relay-timeout",
        ] as const
      ),
      [
        "dot",
        () => {
          const hop = openHop();
          COMMANDS.dot(hop);
          return hop;
        },
        "relay-unknown",
        "relay-unknown",
      ],
    ] as const
  ) {
    assertEquals(hop().session.ended("gone").reason, closed, state);
    assertEquals(hop().session.timedOut().reason, late, state);
    // Half a reply is none.
    const half = hop();
    half.run();
    half.session.receive(latin1("250 o"));
    assertEquals(half.session.ended("gone").reason, closed, state);
  }
});

Deno.test("RelaySession keeps the first reason", () => {
  const hop = openHop();
  hop.session.mail(MAIL);
  const first = hop.session.timedOut();
  assertEquals(hop.session.ended("gone"), first);
  for (let times = 0; times < 2; times++) {
    assertEquals(hop.session.next(), { kind: "failed", failure: first });
  }
});

Deno.test("RelaySession says at once that it has failed, and takes no command then", () => {
  const { session } = openHop();
  assertEquals(session.failure, undefined);
  session.receive(latin1("42"));
  assertEquals(session.next(), { kind: "needData" });
  assertEquals(session.failure, undefined);
  session.rset();
  const failure = {
    reason: "relay-protocol",
    detail: "a reply has come before its command",
  } as const;
  assertEquals(session.failure, failure);
  session.mail(MAIL);
  session.quit();
  assertEquals(text(session.takeOutput()), "");
  assertEquals(session.next(), { kind: "failed", failure });
});

Deno.test("RelaySession throws at what has no place, and at a line in a line", () => {
  for (
    const wrong of [
      (session: RelaySession) => session.mail(MAIL),
      (session: RelaySession) => session.body(latin1("x")),
      (session: RelaySession) => session.endOfBody(),
      (session: RelaySession) => session.afterTls(),
      (session: RelaySession) => session.useToken("x"),
    ]
  ) {
    assertThrows(() => wrong(newRelaySession()), Error, "has no place here");
  }
  for (const control of ["\r\nDATA", "\n", "\0", "\x7f"]) {
    const { session } = openHop();
    assertThrows(() => session.rcpt(`bob@example.net${control}`), Error);
    assertThrows(() => session.mail({ ...MAIL, sender: control }), Error);
    assertEquals(text(session.takeOutput()), "");
  }
});
