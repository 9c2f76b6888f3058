/**
 * The session under random conversations. A step is a turn of the client.
 *
 * @module
 */

import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { newFuzzCase } from "../support/fuzz.ts";
import {
  assertOrder,
  converse,
  MOST_WAITING,
  REPLY_LINE,
  seen,
} from "../support/fuzz_session.ts";

/** One conversation, in packets and octet by octet; returns its turns. */
export function fuzzSession(seed: number): number {
  const fuzzCase = newFuzzCase(seed);
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
