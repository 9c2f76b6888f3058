import { DataReader } from "../../../smtp/protocol/data.ts";
import { completeLineEnds } from "../../../smtp/protocol/newlines.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import {
  type DataReading,
  dataReference,
} from "../../support/data_reference.ts";
import { allStrings } from "../../support/fuzz.ts";
import { latin1, SessionClient, textOf } from "../../support/session.ts";

/** What must come of it: whatever ends a line becomes CRLF. */
function reference(input: string): DataReading {
  const { body, used, ended, octets } = dataReference(input);
  return {
    body: body.replaceAll(/\r\n|\r(?!$)|\n/g, "\r\n"),
    ...{ used, ended, octets },
  };
}

/** Reads the pieces one after another, as long as there is no end. */
function read(pieces: Iterable<string>): DataReading {
  const reader = new DataReader(1_000, true);
  let body = "";
  let used = 0;
  let ended = false;
  for (const text of pieces) {
    if (ended) break;
    const piece = latin1(text);
    const part = reader.read(piece);
    const octets = piece.subarray(0, part.length);
    body += textOf(
      part.bareLineEnd ? completeLineEnds(octets, part.crBefore) : octets,
    );
    used += part.used;
    ended = part.ended;
  }
  assertEquals(reader.fault, undefined);
  return { body, used, ended, octets: reader.octets };
}

/** Fails if they differ; assertEquals() half a million times takes a minute. */
function assertReading(
  pieces: Iterable<string>,
  { text, expected }: Expected,
): void {
  const actual = read(pieces);
  const same = actual.body === expected.body && actual.used === expected.used &&
    actual.ended === expected.ended && actual.octets === expected.octets;
  if (!same) assertEquals(actual, expected, JSON.stringify(text));
}

interface Expected {
  readonly text: string;
  readonly expected: DataReading;
}

/** All short texts, each with what must come of it. */
const EVERYTHING: readonly Expected[] = [...allStrings("\r\n.x", 8)]
  .map((text) => ({ text, expected: reference(text) }));

/**
 * Those of up to seven octets, for reading in pieces: each state of the reader is
 * reached by two octets, and told from every other by three more.
 */
const SHORTER = EVERYTHING.filter(({ text }) => text.length < 8);

Deno.test("the reference has messages of each kind", () => {
  const bodies = EVERYTHING.filter(({ expected }) => expected.ended)
    .map(({ expected }) => expected.body);
  assert(bodies.length > 100, `${bodies.length} messages`);
  assert(bodies.every((body) => !/\r(?!\n)|(?<!\r)\n/.test(body)));
  // What a lenient server would take for their end.
  assert(bodies.some((body) => `\r\n${body}`.includes("\r\n.\r\n")));
});

Deno.test("completeLineEnds() makes every line end of any short message CRLF", () => {
  for (const each of EVERYTHING) assertReading([each.text], each);
});

Deno.test("completeLineEnds() does the same octet by octet", () => {
  for (const each of SHORTER) assertReading(each.text, each);
});

Deno.test("completeLineEnds() does the same wherever the message is split in two", () => {
  // What is carried over is whether a CR stands in front: six octets show it.
  for (const each of SHORTER) {
    const { text } = each;
    if (text.length > 6) break;
    for (let at = 1; at < text.length; at++) {
      assertReading([text.slice(0, at), text.slice(at)], each);
    }
  }
});

const EHLO = "EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n";

Deno.test("Session with normalizeNewlines accepts such messages, and only at their real end", () => {
  let messages = 0;
  for (const text of allStrings("\r\n.x", 5)) {
    const { body, used, ended, octets } = reference(`${text}\r\n.\r\n`);
    assert(ended);
    for (const pieceSize of [Infinity, 1]) {
      const client = new SessionClient({
        rules: { authRequired: false, normalizeNewlines: true },
      });
      client.send(EHLO);
      const said = client.send(`${text}\r\n.\r\n`.slice(0, used), pieceSize);
      assertEquals(said, "250 2.0.0 Message accepted\r\n", text);
      const [message] = client.messages();
      assertEquals([message?.body, client.octets], [body, [octets]], text);
      messages++;
    }
  }
  assertEquals(messages, 2 * 1_365);
});

Deno.test("Session with normalizeNewlines counts the client's octets against the limit", () => {
  const rules = { authRequired: false, normalizeNewlines: true };
  for (const [maxMessageOctets, code] of [[6, "250"], [5, "552"]] as const) {
    const client = new SessionClient({ rules: { ...rules, maxMessageOctets } });
    client.send(EHLO);
    const said = client.send("\n\n\n\n\r\n.\r\n");
    assertEquals(said.slice(0, 3), code);
  }
});
