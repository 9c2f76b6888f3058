/**
 * The session under random conversations. A step is a turn of the client.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type FuzzCase, newFuzzCase } from "../support/fuzz.ts";
import {
  assertOrder,
  converse,
  MOST_WAITING,
  REPLY_LINE,
  seen,
} from "../support/fuzz_session.ts";
import { base64 } from "../support/octets.ts";
import { newRandom, pick } from "../support/random.ts";
import { latin1 } from "../support/session.ts";

/** Logins with a token that is refused, or none; then whatever comes. */
const TOKEN_TURNS = [
  `AUTH XOAUTH2 ${base64("user=ann\x01auth=Bearer wrong\x01\x01")}\r\n`,
  `AUTH OAUTHBEARER ${base64("n,,\x01auth=Bearer wrong\x01\x01")}\r\n`,
  `AUTH XOAUTH2\r\n${base64("user=down\x01auth=Bearer x\x01\x01")}\r\n`,
  "AUTH OAUTHBEARER\r\n",
  `AUTH XOAUTH2 ${base64("user=ann\x01auth=Bearer \x01\x01")}`,
].map(latin1);

/** The same conversation with tokens at its beginning and somewhere else. */
function withTokens(fuzzCase: FuzzCase): FuzzCase {
  const random = newRandom(fuzzCase.seed);
  const [hello = latin1(""), ...turns] = fuzzCase.turns;
  turns.splice(random(turns.length), 0, pick(random, TOKEN_TURNS));
  return {
    ...fuzzCase,
    turns: [hello, pick(random, TOKEN_TURNS), ...turns],
  };
}

/** One conversation, in packets and octet by octet; returns its turns. */
export function fuzzSession(seed: number): number {
  const fuzzCase = seed % 2 === 0
    ? newFuzzCase(seed)
    : withTokens(newFuzzCase(seed));
  const whole = converse(fuzzCase);
  const lines = whole.output.split("\r\n");
  assertEquals(lines.pop(), "", "the output ends with a line");
  for (const line of lines) assertMatch(line, REPLY_LINE);
  assertOrder(whole.actions, "whole");
  const octets = converse(fuzzCase, 1);
  assertOrder(octets.actions, "octet by octet");
  // What a packet holds behind the end of the session is never read.
  const { mostWaiting } = octets;
  assert(mostWaiting <= MOST_WAITING, `${mostWaiting} octets are waiting`);
  const [expected, actual] = [seen(whole), seen(octets)];
  // Equal texts are equal values here, and quicker to compare.
  if (JSON.stringify(actual) !== JSON.stringify(expected)) {
    assertEquals(actual, expected, "octet by octet");
  }
  return fuzzCase.turns.length;
}
