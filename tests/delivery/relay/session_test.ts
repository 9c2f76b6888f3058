import type { RelaySession } from "../../../delivery/relay/session.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import {
  FakeHop,
  MAIL,
  newRelaySession,
  openHop,
  PASSWORD_LOGIN,
} from "../../support/relay_session.ts";
import { latin1 } from "../../support/session.ts";

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

/** What a session says at MAIL. */
function saidAtMail(
  hop: FakeHop,
  mail: Parameters<RelaySession["mail"]>[0],
): string {
  hop.said = "";
  hop.session.mail(mail);
  hop.run();
  return hop.said;
}

Deno.test("RelaySession.mail() says what the next hop understands", () => {
  const parameters = { size: 1000, body: "8BITMIME", smtpUtf8: true } as const;
  const said = (
    extensions: string[],
    mail: Parameters<RelaySession["mail"]>[0],
  ) => saidAtMail(openHop(extensions), mail);
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

// RFC 4954 section 5, for who trusts nobody's word about the first submitter.
Deno.test("RelaySession.mail() says AUTH=<> where it has logged in", () => {
  const sender = "MAIL FROM:<ann@example.org>";
  for (const auth of [undefined, "<>", "eve@example.org"]) {
    const mail = {
      ...MAIL,
      parameters: { size: 9, ...(auth === undefined ? {} : { auth }) },
    };
    const rules = { login: PASSWORD_LOGIN };
    const hop = openHop(["SIZE", "AUTH PLAIN"], { rules });
    hop.say("235 2.7.0 welcome\r\n");
    assertEquals(saidAtMail(hop, mail), `${sender} SIZE=9 AUTH=<>\r\n`);
    // Where nobody has asked for a login, nobody asks for that either.
    const open = openHop(["SIZE", "AUTH PLAIN"]);
    assertEquals(saidAtMail(open, mail), `${sender} SIZE=9\r\n`);
  }
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
