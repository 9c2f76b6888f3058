import type { SessionAction } from "../../smtp/actions.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type FuzzCase, newFuzzCase } from "../support/fuzz.ts";
import { SessionClient } from "../support/session.ts";

const CASES = 400;

/** The longest line that may wait: a response with the CR of its CRLF. */
const MOST_WAITING = 12_288 + 1;

const REPLY_LINE =
  /^(?:220 mail\.example\.org ESMTP|250[- ](?:mail\.example\.org|PIPELINING|SIZE [0-9]+|8BITMIME|SMTPUTF8|ENHANCEDSTATUSCODES|STARTTLS|AUTH PLAIN LOGIN)|334 [A-Za-z0-9]*|354 [ -~]+|([245])[0-9]{2} \1\.[0-9]\.[0-9]{1,2} [ -~]+)$/;

function converse(fuzzCase: FuzzCase, pieceSize?: number): SessionClient {
  const { authRequired, startTls, maxMessageOctets } = fuzzCase;
  const client = new SessionClient({
    rules: { authRequired, startTls, maxMessageOctets, maxAuthFailures: 5 },
  });
  client.connect();
  for (const turn of fuzzCase.turns) {
    if (!client.closed) client.send(turn, pieceSize);
  }
  return client;
}

/** All that does not depend on where packets end. */
function seen(client: SessionClient): object {
  const messages = client.messages().map((message) =>
    message.bad ? { ...message, body: "refused" } : message
  );
  const others = client.actions.flatMap((action): readonly unknown[] => {
    switch (action.kind) {
      case "authEnded":
        return [action.outcome];
      case "authenticate":
        return [action.request];
      case "body":
      case "badBody":
        return [];
      default:
        return [action.kind];
    }
  });
  return { output: client.output, messages, others, closed: client.closed };
}

/** Fails where an action comes out of its order. */
function assertOrder(actions: readonly SessionAction[], what: string): void {
  let inMessage = false;
  let bad = false;
  let asking = false;
  for (const { kind } of actions) {
    const ofMessage = kind === "body" || kind === "badBody" ||
      kind === "endOfMessage";
    assertEquals(ofMessage, inMessage, `${what}: ${kind} in a message`);
    assert(!(bad && kind === "body"), `${what}: body after badBody`);
    assert(!(bad && kind === "badBody"), `${what}: badBody twice`);
    assert(!asking || kind === "authEnded", `${what}: ${kind} after asking`);
    asking = kind === "authenticate";
    bad = kind === "badBody" || (bad && ofMessage);
    inMessage = kind === "message" || (ofMessage && kind !== "endOfMessage");
  }
}

Deno.test("Session answers anything with replies and actions in their order", () => {
  const kinds = new Set<string>();
  const codes = new Set<string>();
  for (let seed = 1; seed <= CASES; seed++) {
    const client = converse(newFuzzCase(seed));
    const lines = client.output.split("\r\n");
    assertEquals(lines.pop(), "", `seed ${seed}`);
    for (const line of lines) {
      assertMatch(line, REPLY_LINE, `seed ${seed}`);
      codes.add(line.slice(0, 3));
    }
    assertOrder(client.actions, `seed ${seed}`);
    for (const action of client.actions) kinds.add(action.kind);
  }
  // The conversations lead everywhere, else this test would say little.
  assertEquals([...kinds].sort(), [
    "authEnded",
    "authenticate",
    "badBody",
    "body",
    "close",
    "endOfMessage",
    "message",
    "startTls",
  ]);
  assertEquals(
    [...codes].sort().join(" "),
    "214 220 221 235 250 252 334 354 421 454 500 501 502 503 504 530 535 552 554 555",
  );
});

Deno.test("Session says and asks the same wherever packets end", () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const fuzzCase = newFuzzCase(seed);
    const whole = seen(converse(fuzzCase));
    for (const pieceSize of [1, 2, 7]) {
      const pieces = seen(converse(fuzzCase, pieceSize));
      assertEquals(pieces, whole, `seed ${seed}, pieces of ${pieceSize}`);
    }
  }
});

Deno.test("Session keeps no more than a line, whatever comes", () => {
  let most = 0;
  for (let seed = 1; seed <= CASES; seed++) {
    const client = converse(newFuzzCase(seed), 512);
    most = Math.max(most, client.mostWaiting);
  }
  assert(most <= MOST_WAITING, `${most}`);
  assert(most > 4096, `long lines were among them: ${most}`);
});

Deno.test("Session tells no outcome and no client the password or response", () => {
  for (let seed = 1; seed <= CASES; seed++) {
    const client = converse(newFuzzCase(seed));
    const told = JSON.stringify(client.outcomes()) + client.output;
    for (const secret of ["secret", "c2VjcmV0", "AGFubg", "BzZWNyZX"]) {
      assert(!told.includes(secret), `seed ${seed}: ${told}`);
    }
  }
});
