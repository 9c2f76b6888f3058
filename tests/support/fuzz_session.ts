/**
 * Random conversations with a session, and what must hold for each of them.
 *
 * @module
 */

import { KNOWN_MECHANISMS } from "../../auth/sasl/offer.ts";
import type { SessionAction } from "../../smtp/protocol/actions.ts";
import { assert, assertEquals } from "./assert.ts";
import type { FuzzCase } from "./fuzz.ts";
import { SessionClient } from "./session.ts";

/** The longest line that may wait: a response with the CR of its CRLF. */
export const MOST_WAITING: number = 12_288 + 1;

/** Every line that a session with the rules of tests may say. */
export const REPLY_LINE: RegExp =
  /^(?:220 mail\.example\.org ESMTP ready|250[- ](?:mail\.example\.org|PIPELINING|SIZE [0-9]+|8BITMIME|SMTPUTF8|ENHANCEDSTATUSCODES|STARTTLS|AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER)|334 [A-Za-z0-9=]*|354 [ -~]+|([245])[0-9]{2} \1\.[0-9]\.[0-9]{1,2} [ -~]+)$/;

/** Lets a conversation take place, its turns whole or in pieces of a size. */
export function converse(
  fuzzCase: FuzzCase,
  pieceSize?: number,
): SessionClient {
  const { authRequired, startTls, maxMessageOctets } = fuzzCase;
  const client = new SessionClient({
    rules: {
      authRequired,
      startTls,
      maxMessageOctets,
      maxAuthFailures: 5,
      mechanisms: KNOWN_MECHANISMS,
    },
  });
  client.connect();
  for (const turn of fuzzCase.turns) {
    if (!client.closed) client.send(turn, pieceSize);
  }
  return client;
}

/** All that does not depend on where packets end. */
export function seen(client: SessionClient): object {
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
export function assertOrder(
  actions: readonly SessionAction[],
  what: string,
): void {
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
