/**
 * Our side of a session with a next hop that says anything. A step is a turn of
 * the next hop.
 *
 * @module
 */

import type { RelaySession } from "../../delivery/relay/session.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { newRandom, pick } from "../support/random.ts";
import {
  FakeHop,
  helloReply,
  MAIL,
  newRelaySession,
  PASSWORD_LOGIN,
  TOKEN_LOGIN,
} from "../support/relay_session.ts";

/** What next hops say; the doubled ones are what leads deeper. */
const REPLIES: readonly string[] = [
  "220 hop.example.net ESMTP\r\n",
  "220 go\r\n",
  helloReply("PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8"),
  helloReply("STARTTLS", "AUTH PLAIN LOGIN XOAUTH2"),
  helloReply("AUTH LOGIN"),
  helloReply("AUTH XOAUTH2", "PIPELINING"),
  "235 2.7.0 in\r\n",
  "235 in\r\n",
  "250 2.1.0 ok\r\n",
  "250 ok\r\n",
  "250 ok\r\n",
  "334 VXNlcm5hbWU6\r\n",
  "334 \r\n",
  "354 go\r\n",
  "354 go\r\n",
  "421 4.3.2 going\r\n",
  "450 4.2.1 later\r\n",
  "452-4.5.3 too\r\n452 4.5.3 many\r\n",
  "530 5.7.0 who?\r\n",
  "535 5.7.8 no\r\n",
  "550 5.1.1 no\r\n",
  "502 what?\r\n",
];

const LOGINS = [{}, { login: PASSWORD_LOGIN }, { login: TOKEN_LOGIN }] as const;

const IN = [helloReply("AUTH PLAIN XOAUTH2"), "235 in\r\n"];

/** Most of them begin well: without that there is little to see. */
const BEGINNINGS = [
  [],
  ["220 hop\r\n", ...IN],
  ["220 hop\r\n", helloReply("STARTTLS"), "220 go\r\n", ...IN],
] as const;

/** What random octets are folded into. */
const ALPHABET = "\r\n\r\n-  2345.0\0\x07\x7f\xffxX";

/** Every line that a session may say, whatever it has heard. */
const OUR_LINE =
  /^(?:EHLO relay\.example\.net|HELO relay\.example\.net|STARTTLS|AUTH (?:PLAIN|XOAUTH2) [A-Za-z0-9+/]+=*|AUTH LOGIN|YW5u|c2VjcmV0|MAIL FROM:<ann@example\.org>(?: SIZE=9)?(?: AUTH=<>)?|RCPT TO:<bob@example\.net>|DATA|RSET|QUIT|)$/;

/** One session, its turns in packets and octet by octet; returns its turns. */
export function fuzzRelay(seed: number): number {
  const turns = newTurns(seed);
  const whole = converse(seed, turns);
  const lines = whole.said.split("\r\n");
  assertEquals(lines.pop(), "", "what we say ends with a line");
  for (const line of lines) assertMatch(line, OUR_LINE);
  for (const action of whole.actions) {
    if (action.kind !== "reply") continue;
    assertMatch(action.reply.text, /^[\n\x20-\x7e]*$/);
    assert(action.reply.code >= 200 && action.reply.code < 600);
  }
  const failed = whole.kinds.indexOf("failed");
  assert(
    failed < 0 || failed === whole.kinds.length - 1,
    "the failure is last",
  );
  // Where a packet ends may make a reply a timely one, but not the reverse.
  const early = /before its command|unasked/.test(whole.failure ?? "");
  if (!early) {
    const octets = converse(seed, turns, 1);
    assertEquals(octets.said, whole.said, "octet by octet");
    assertEquals(octets.actions, whole.actions, "octet by octet");
  }
  return turns.length;
}

/** What a next hop says, in turns; the same for the same seed. */
export function newTurns(seed: number): string[] {
  const random = newRandom(seed);
  return Array.from({ length: 4 + random(24) }, () => {
    const reply = pick(random, REPLIES);
    if (random(12) > 0) return reply;
    const at = random(reply.length);
    const noise = Array.from(
      { length: random(4) },
      () => pick(random, [...ALPHABET]),
    ).join("");
    return reply.slice(0, at) + noise + reply.slice(at + random(3));
  });
}

/** Lets a session take place, the turns whole or in pieces of a size. */
export function converse(
  seed: number,
  turns: readonly string[],
  pieceSize?: number,
): FakeHop {
  const random = newRandom(~seed);
  const hop = new FakeHop(
    newRelaySession({
      rules: {
        tlsRequired: random(4) === 0,
        ...pick(random, LOGINS),
      },
      peer: { tls: random(2) === 0 },
    }),
  );
  for (const turn of [...pick(random, BEGINNINGS), ...turns]) {
    command(hop, random);
    hop.say(turn, pieceSize);
    if (hop.failure !== undefined) break;
  }
  return hop;
}

/** Says something where something may be said. */
function command(hop: FakeHop, random: (below: number) => number): void {
  const { session } = hop;
  const last = hop.actions.at(-1);
  const isDone = last?.kind === "opened" || last?.kind === "reply";
  if (!isDone || session.waitMs !== undefined) return;
  if (last.kind === "reply" && last.reply.code === 354) {
    session.body(new Uint8Array([46, 13, 10]));
    if (random(4) > 0) session.endOfBody();
    return;
  }
  const commands: readonly ((session: RelaySession) => void)[] = [
    (session) => session.mail({ ...MAIL, parameters: { size: 9 } }),
    (session) => session.rcpt("bob@example.net"),
    (session) => session.data(),
    (session) => session.data(),
    (session) => session.rset(),
    (session) => session.quit(),
  ];
  for (let count = 1 + random(2); count > 0; count--) {
    pick(random, commands)(session);
  }
  hop.run();
}
