import {
  type DovecotAction,
  DovecotSession,
} from "../../../adapters/dovecot/session.ts";
import type { Mechanism } from "../../../auth/sasl/mechanism.ts";
import { PLAIN } from "../../../auth/sasl/plain.ts";
import { DEFAULT_OFFER, readOffer } from "../../../auth/sasl/offer.ts";
import type { AuthDecision, AuthResult } from "../../../auth/types.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { base64 } from "../../support/octets.ts";
import { newRandom, pick } from "../../support/random.ts";
import { plain } from "../../../testing/client.ts";
import {
  TOKEN,
  token,
  WHY,
  WHY_NOT_NOW,
} from "../../support/token_mechanism.ts";

const IDENTITY = { serverId: 1, connectionId: 1, cookie: "0".repeat(32) };

const POSTFIX = "service=smtp\tnologin\tlip=127.0.0.1\trip=192.0.2.7";

const INVALID = "reason=Authentication credentials invalid";

/** A session behind its handshake, and what it says and wants. */
class Talk {
  readonly session: DovecotSession;
  #now = 0;

  constructor(minor = 0, mechanisms: readonly Mechanism[] = DEFAULT_OFFER) {
    this.session = new DovecotSession(IDENTITY, mechanisms);
    this.session.open();
    this.session.receive(encode(`VERSION\t1\t${minor}\nCPID\t7\n`), 0);
  }

  say(text: string, later = 0): readonly DovecotAction[] {
    this.#now += later;
    return this.session.receive(encode(`${text}\n`), this.#now);
  }

  /** What it sends, closes or asks, as lines. */
  lines(text: string, later = 0): string[] {
    return shown(this.say(text, later));
  }

  /** The same for a decision, or a result. */
  decided(id: number, answer: AuthDecision | AuthResult) {
    const result = typeof answer === "string" ? { decision: answer } : answer;
    return shown(this.session.decided(id, result));
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function shown(actions: readonly DovecotAction[]): string[] {
  return actions.flatMap((action) => {
    switch (action.kind) {
      case "send":
        return action.text.trimEnd() === "" ? [] : [action.text.slice(0, -1)];
      case "ask":
        return [`ask ${action.id} ${action.request.username}`];
      case "drop":
        return [`drop ${action.id}`];
      case "ended":
        return [`ended ${action.event.outcome} ${action.event.reason}`];
      case "close":
        return [action.why === undefined ? "close" : `close: ${action.why}`];
      default:
        return action satisfies never;
    }
  });
}

Deno.test("PLAIN with an initial response asks the provider", () => {
  const talk = new Talk();
  const [action] = talk.say(
    `AUTH\t1\tPLAIN\t${POSTFIX}\tresp=${plain("ann", "secret")}`,
  );
  assert(action?.kind === "ask");
  assertEquals(action.request, {
    username: "ann",
    password: "secret",
    mechanism: "PLAIN",
    remoteIp: "192.0.2.7",
    heloName: "",
  });
  assertEquals(talk.decided(1, "authOk"), ["OK\t1\tuser=ann"]);
});

Deno.test("PLAIN without an initial response is challenged first", () => {
  for (const none of ["", "\tresp="]) {
    const talk = new Talk();
    const auth = `AUTH\t1\tPLAIN\t${POSTFIX}${none}`;
    assertEquals(talk.lines(auth), ["CONT\t1\t"]);
    const response = plain("ann", "secret");
    assertEquals(talk.lines(`CONT\t1\t${response}`), ["ask 1 ann"]);
  }
});

Deno.test("LOGIN takes the user name and the password in turn", () => {
  const talk = new Talk();
  const auth = `AUTH\t1\tlogin\t${POSTFIX}`;
  assertEquals(talk.lines(auth), ["CONT\t1\tVXNlcm5hbWU6"]);
  assertEquals(talk.lines(`CONT\t1\t${base64("jörg")}`), [
    "CONT\t1\tUGFzc3dvcmQ6",
  ]);
  const [action] = talk.say(`CONT\t1\t${base64("pä")}`);
  assert(action?.kind === "ask");
  assertEquals(action.request.mechanism, "LOGIN");
  assertEquals(action.request.password, "pä");
  assertEquals(talk.decided(1, "authInvalid"), [
    `FAIL\t1\tuser=jörg\t${INVALID}`,
  ]);
});

Deno.test("an empty response from minor version 2 on is a zero-length one", () => {
  const rows = [[0, ["CONT\t1\t"]], [1, ["CONT\t1\t"]], [2, [
    "ended error bad-message",
    "FAIL\t1\tuser=\treason=Malformed authentication message",
  ]]] as const;
  for (const [minor, expected] of rows) {
    assertEquals(new Talk(minor).lines("AUTH\t1\tPLAIN\tresp="), [...expected]);
  }
  assertEquals(
    new Talk().lines("AUTH\t1\tPLAIN\tresp==").at(-1),
    rows[2][1][1],
  );
});

Deno.test("a wrong password and an unknown user read the same", () => {
  const talk = new Talk();
  talk.say(`AUTH\t1\tPLAIN\tresp=${plain("ann", "x")}`);
  const ann = talk.decided(1, "authInvalid");
  talk.say(`AUTH\t2\tPLAIN\tresp=${plain("nobody", "x")}`);
  assertEquals(talk.decided(2, "authInvalid"), [
    (ann[0] ?? "").replace("\t1\t", "\t2\t").replace("ann", "nobody"),
  ]);
});

Deno.test("the provider's own name and text are told", () => {
  const talk = new Talk();
  talk.say(`AUTH\t1\tPLAIN\tresp=${plain("ann", "x")}`);
  const user = "jörg müller@例え.jp";
  assertEquals(talk.decided(1, { decision: "authOk", user }), [
    `OK\t1\tuser=${user}`,
  ]);
  talk.say(`AUTH\t2\tPLAIN\tresp=${plain("ann", "x")}`);
  const text = "Account closed, call 555";
  assertEquals(talk.decided(2, { decision: "authInvalid", text }), [
    `FAIL\t2\tuser=ann\treason=${text}`,
  ]);
});

Deno.test("a temporary failure closes where one user has the connection", () => {
  for (const minor of [0, 1]) {
    const talk = new Talk(minor);
    talk.say(`AUTH\t1\tPLAIN\tresp=${plain("ann", "x")}`);
    assertEquals(talk.decided(1, "authFailure"), ["close"]);
    assertEquals(talk.say("AUTH\t2\tPLAIN"), []);
  }
});

Deno.test("a temporary failure is an answer where users share the connection", () => {
  const temporary = ["FAIL\t1\tuser=ann\tcode=temp_fail\ttemp"];
  const question = `PLAIN\tresp=${plain("ann", "x")}`;

  const dovecot = new Talk(2);
  dovecot.say(`AUTH\t1\t${question}`);
  assertEquals(dovecot.decided(1, "authFailure"), temporary);

  const final = new Talk(1);
  final.say(`AUTH\t1\tPLAIN\tfinal-resp-ok\tresp=${plain("ann", "x")}`);
  assertEquals(final.decided(1, "authFailure"), temporary);

  for (const minor of [0, 1]) {
    const several = new Talk(minor);
    several.say(`AUTH\t1\t${question}`);
    several.say(`AUTH\t2\t${question}`);
    assertEquals(several.decided(1, "authFailure"), temporary);
    assertEquals(several.decided(2, "authFailure"), ["close"]);
  }
});

Deno.test("what Postfix has cancelled in silence does not keep a connection", () => {
  const talk = new Talk(0);
  talk.say("AUTH\t1\tLOGIN");
  talk.say(`AUTH\t2\tPLAIN\tresp=${plain("ann", "x")}`);
  assertEquals(talk.decided(2, "authFailure"), ["close"]);
});

Deno.test("one client's rubbish never breaks another's exchange", () => {
  const rubbish = [
    "AUTH\t2\tPLAIN\tresp=@@@",
    "AUTH\t2\tPLAIN\tresp=A",
    `AUTH\t2\tPLAIN\tresp=${"A".repeat(12_289)}`,
    `AUTH\t2\tPLAIN\tresp=${"A".repeat(20_000)}`,
    "AUTH\t2\tGSSAPI\tresp=AAAA",
    "AUTH\t2\t",
    "AUTH\t2",
    "AUTH\t2\tPLAIN\tresp=\tuser=x",
    `AUTH\t2\tPLAIN\tresp=${base64([0, 0xff, 0, 0x61])}`,
    `AUTH\t2\tPLAIN\tresp=${base64("\0a\tb\0x")}`,
    "AUTH\t2\tLOGIN\nCONT\t2\t*",
    "AUTH\t2\tLOGIN\nCONT\t2\t@@@",
    `AUTH\t2\tLOGIN\nCONT\t2\t${"A".repeat(20_000)}`,
    "AUTH\t2\tLOGIN\nCONT\t2\tYQ==\tYQ==",
  ];
  for (const minor of [0, 1, 2]) {
    for (const line of rubbish) {
      const talk = new Talk(minor);
      talk.say(`AUTH\t1\tPLAIN\tresp=${plain("ann", "secret")}`);
      const last = talk.lines(line).at(-1) ?? "";
      assert(
        last.startsWith("FAIL\t2\tuser="),
        `${line.slice(0, 40)}: ${last}`,
      );
      assertEquals(talk.decided(1, "authOk"), ["OK\t1\tuser=ann"]);
    }
  }
});

Deno.test("what is no protocol closes the connection", () => {
  const rows = [
    ["VERSION\t2\t0", "another major version"],
    ["HELLO", "unknown command"],
    ["AUTH\t0\tPLAIN", "AUTH without an id"],
    ["CONT\tx\t", "CONT without an id"],
  ] as const;
  for (const [line, why] of rows) {
    assertEquals(new Talk().lines(line), [`close: ${why}`]);
  }
  const early = new DovecotSession(IDENTITY);
  early.open();
  assertEquals(shown(early.receive(encode("AUTH\t1\tPLAIN\n"), 0)), [
    "close: no VERSION",
  ]);
  const twice = new Talk();
  twice.say("AUTH\t1\tLOGIN");
  assertEquals(twice.lines("AUTH\t1\tLOGIN"), ["close: an id in use"]);
});

Deno.test("a request that is not known is no fault of the user's", () => {
  assertEquals(new Talk(0).lines("CONT\t9\tYQ=="), ["close"]);
  assertEquals(new Talk(2).lines("CONT\t9\tYQ=="), [
    "FAIL\t9\tuser=\tcode=temp_fail\ttemp",
  ]);
});

Deno.test("CANCEL drops the exchange and is not answered", () => {
  const talk = new Talk(2);
  talk.say(`AUTH\t1\tPLAIN\tresp=${plain("ann", "x")}`);
  assertEquals(talk.lines("CANCEL\t1"), ["drop 1"]);
  assertEquals(talk.decided(1, "authOk"), []);
  talk.say("AUTH\t2\tLOGIN");
  assertEquals(talk.lines("CANCEL\t2"), ["ended error cancelled"]);
  assertEquals(talk.lines("CANCEL\t2"), []);
});

Deno.test("exchanges that nobody goes on with are forgotten", () => {
  const talk = new Talk(0);
  talk.say("AUTH\t1\tLOGIN");
  assertEquals(talk.lines("AUTH\t2\tLOGIN", 299_000), [
    "CONT\t2\tVXNlcm5hbWU6",
  ]);
  assertEquals(talk.lines("AUTH\t3\tLOGIN", 2_000), [
    "ended error cancelled",
    "CONT\t3\tVXNlcm5hbWU6",
  ]);
});

Deno.test("a thousand open exchanges are enough", () => {
  const postfix = new Talk(0);
  for (let id = 1; id <= 1_000; id++) postfix.say(`AUTH\t${id}\tLOGIN`);
  assertEquals(postfix.lines("AUTH\t1001\tLOGIN"), [
    "ended error cancelled",
    "CONT\t1001\tVXNlcm5hbWU6",
  ]);
  const dovecot = new Talk(2);
  const question = `PLAIN\tresp=${plain("ann", "x")}`;
  for (let id = 1; id <= 1_000; id++) dovecot.say(`AUTH\t${id}\t${question}`);
  assertEquals(dovecot.lines(`AUTH\t1001\t${question}`), [
    "ended failure provider-failure",
    "FAIL\t1001\tuser=\tcode=temp_fail\ttemp",
  ]);
  assertEquals(dovecot.decided(1, "authOk"), ["OK\t1\tuser=ann"]);
});

Deno.test("long user names of exchanges that nobody goes on with are forgotten", () => {
  const postfix = new Talk(0);
  const name = btoa("x".repeat(8_192));
  for (let id = 1; id <= 16; id++) {
    assertEquals(postfix.lines(`AUTH\t${id}\tLOGIN\tresp=${name}`), [
      `CONT\t${id}\tUGFzc3dvcmQ6`,
    ]);
  }
  assertEquals(postfix.lines("AUTH\t17\tLOGIN\tresp=YW5u"), [
    "ended error cancelled",
    "CONT\t17\tUGFzc3dvcmQ6",
  ]);
  assertEquals(postfix.lines("CONT\t17\teA=="), ["ask 17 ann"]);
});

/** What random octets are folded into: what the protocol is written in. */
const ALPHABET = "\n\n\t\t\t0012=\x01\x00\rAUTHCONPLIGN*@\x7f\xc3\xa4";

const PIECES = [
  "AUTH\t1\tPLAIN\tservice=smtp\trip=::1\tresp=AGFubgBzZWNyZXQ=\n",
  "AUTH\t2\tLOGIN\n",
  "AUTH\t2\tLOGIN\n",
  "CONT\t2\tYW5u\n",
  "CONT\t2\tYW5u\n",
  "CANCEL\t1\n",
  "AUTH\t3\tPLAIN\tresp=\n",
  "CONT\t3\tAGEAYg==\n",
  "AUTH\t4\tPLAIN\tresp=@\n",
];

Deno.test("random octets end in answers, and answers are lines (seeded)", () => {
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = newRandom(seed);
    const talk = new Talk(random(3));
    const asked = new Set<number>();
    for (let turn = 0; turn < 30; turn++) {
      const text = random(3) === 0
        ? Array.from({ length: random(20) }, () => pick(random, [...ALPHABET]))
          .join("")
        : pick(random, PIECES);
      const octets = Uint8Array.from(text, (c) => c.charCodeAt(0) & 0xff);
      const actions = [
        ...talk.session.receive(octets, turn),
        ...talk.session.decided(1 + random(4), {
          decision: pick(
            random,
            ["authOk", "authInvalid", "authFailure"] as const,
          ),
        }),
      ];
      for (const action of actions) {
        if (action.kind === "ask") asked.add(action.id);
        if (action.kind !== "send") continue;
        assert(
          /^(?:CONT\t\d+\t[A-Za-z0-9+/=]*|OK\t\d+\tuser=[^\t\n]+|FAIL\t\d+\tuser=[^\t\n]*(?:\t[^\t\n]+)+)\n$/
            .test(action.text),
          `seed ${seed}: ${JSON.stringify(action.text)}`,
        );
        const [, ok] = /^OK\t(\d+)\t/.exec(action.text) ?? [];
        assert(ok === undefined || asked.has(Number(ok)), `seed ${seed}`);
      }
    }
  }
});

const TOLD = "AUTH\t1\tX-TOKEN\tservice=smtp\trip=192.0.2.7\tresp=";

function tokenTalk(minor = 0): Talk {
  return new Talk(minor, [...DEFAULT_OFFER, TOKEN]);
}

Deno.test("a session offers the mechanisms that it is given", () => {
  const session = new DovecotSession(IDENTITY, [TOKEN, PLAIN]);
  const handshake = shown(session.open()).join("\n");
  assertEquals(handshake.match(/^MECH.*$/gm), [
    "MECH\tX-TOKEN\tplaintext",
    "MECH\tPLAIN\tplaintext",
  ]);
});

Deno.test("a mechanism says why with CONT, the client answers, then FAIL", () => {
  for (const line of ["CONT\t1\t", "CONT\t1\tAQ==", "CONT\t1\tno base64"]) {
    const talk = tokenTalk();
    assertEquals(talk.lines(TOLD + token("ann", "wrong")), ["ask 1 ann"]);
    assertEquals(talk.decided(1, "authInvalid"), [`CONT\t1\t${WHY}`]);
    // The server has told the log what was decided: nothing more is ended.
    assertEquals(talk.lines(line), [`FAIL\t1\tuser=ann\t${INVALID}`]);
    assertEquals(talk.lines(TOLD + token("ann", "secret")), ["ask 1 ann"]);
    assertEquals(talk.decided(1, "authOk"), ["OK\t1\tuser=ann"]);
  }
});

Deno.test("a client that was told why may cancel or be forgotten, and nobody hears of it twice", () => {
  const talk = tokenTalk();
  talk.say(TOLD + token("ann", "wrong"));
  talk.decided(1, "authInvalid");
  assertEquals(talk.lines("CANCEL\t1"), []);

  const late = tokenTalk();
  late.say(TOLD + token("ann", "wrong"));
  late.decided(1, "authInvalid");
  const next = TOLD.replace("\t1\t", "\t2\t") + token("ann", "x");
  assertEquals(late.lines(next, 300_001), ["ask 2 ann"]);
});

Deno.test("a failure that a mechanism explains is no wrong password", () => {
  const asked = TOLD + token("told", "x");
  const alone = tokenTalk();
  alone.say(asked);
  assertEquals(alone.decided(1, "authFailure"), [`CONT\t1\t${WHY_NOT_NOW}`]);
  assertEquals(alone.lines("CONT\t1\t"), ["close"]);

  const shared = tokenTalk(2);
  shared.say(asked);
  shared.decided(1, "authFailure");
  assertEquals(shared.lines("CONT\t1\t"), [
    "FAIL\t1\tuser=told\tcode=temp_fail\ttemp",
  ]);
});

Deno.test("a session takes tokens, and says why it refuses one", () => {
  const mechanisms = readOffer(["XOAUTH2", "OAUTHBEARER"]);
  const talk = new Talk(0, mechanisms);
  const xoauth2 = base64("user=ann\x01auth=Bearer tok\x01\x01");
  const why = base64('{"status":"401","schemes":"bearer"}');
  assertEquals(talk.lines("AUTH\t1\tXOAUTH2\tservice=smtp\tresp="), [
    "CONT\t1\t",
  ]);
  assertEquals(talk.lines(`CONT\t1\t${xoauth2}`), ["ask 1 ann"]);
  assertEquals(talk.decided(1, "authInvalid"), [`CONT\t1\t${why}`]);
  assertEquals(talk.lines("CONT\t1\t"), [`FAIL\t1\tuser=ann\t${INVALID}`]);

  const nameless = base64("n,,\x01auth=Bearer tok\x01\x01");
  const asked = `AUTH\t2\tOAUTHBEARER\tservice=smtp\tresp=${nameless}`;
  assertEquals(talk.lines(asked), ["ask 2 "]);
  const yes = { decision: "authOk", user: "ann@example.org" } as const;
  assertEquals(talk.decided(2, yes), ["OK\t2\tuser=ann@example.org"]);
});
